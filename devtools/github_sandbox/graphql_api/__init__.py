"""The GraphQL half of the sandbox: schema, cost, execution, resolvers."""
