from factory import declarations
from factory.django import DjangoModelFactory, Password

from apps.users.models import User


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = declarations.Sequence(lambda n: f"person{n}@example.com")
    name = declarations.Sequence(lambda n: f"Person {n}")
    password = Password("correct horse battery")
