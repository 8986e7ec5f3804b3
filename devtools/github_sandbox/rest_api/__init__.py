"""The REST half of the sandbox: routes, shapes, pages."""
