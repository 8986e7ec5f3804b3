"""What people are called."""

from __future__ import annotations

from apps.metrics.demo.dice import Dice

# fmt: off
_FIRST = (
    "Adaeze", "Aleksander", "Amara", "Anders", "Anjali", "Aylin", "Beatriz", "Bilal", "Bruno",
    "Camila", "Carlos", "Chidi", "Clara", "Daniela", "Deepak", "Dina", "Diego", "Edgar",
    "Elif", "Emil", "Esther", "Fabian", "Farah", "Felix", "Femi", "Freya", "Giulia",
    "Gustavo", "Hana", "Haruto", "Helena", "Henrik", "Hugo", "Ines", "Irina", "Ivo",
    "Jamal", "Jasper", "Joana", "Jonas", "Kaito", "Karim", "Katya", "Kira", "Kofi",
    "Lars", "Leila", "Liam", "Lina", "Lorenzo", "Lucia", "Magnus", "Malik", "Maren",
    "Marta", "Mateus", "Mei", "Mina", "Miriam", "Nadia", "Naveen", "Nils", "Noor",
    "Olga", "Omar", "Oskar", "Paula", "Pavel", "Petra", "Priya", "Quinn", "Rafael",
    "Ravi", "Renata", "Rosa", "Ruben", "Samir", "Sanne", "Selin", "Simon", "Sofia",
    "Sunita", "Tariq", "Tess", "Thabo", "Tomas", "Uma", "Valeria", "Viktor", "Wanda",
    "Wim", "Xavier", "Yara", "Yuki", "Yusuf", "Zanele", "Zofia",
)
_LAST = (
    "Abreu", "Adeyemi", "Almeida", "Andersson", "Aydin", "Bakker", "Banerjee", "Barros", "Becker",
    "Bergman", "Boateng", "Castro", "Chandra", "Cieslak", "Costa", "Dahl", "Demir", "Diallo",
    "Duarte", "Dvorak", "Eriksen", "Esposito", "Falk", "Fernandes", "Fischer", "Fontana", "Garcia",
    "Greco", "Gupta", "Haddad", "Hansen", "Hartmann", "Horvat", "Ibarra", "Ito", "Iyer",
    "Jansen", "Jimenez", "Joshi", "Kaya", "Keller", "Kimura", "Kowalska", "Kuznetsova", "Larsen",
    "Lindt", "Lopes", "Mancini", "Marques", "Mbeki", "Meyer", "Mishra", "Moreau", "Nair",
    "Nakata", "Ndiaye", "Novak", "Nowak", "Okafor", "Oliveira", "Olsen", "Ortega", "Park",
    "Pereira", "Petrov", "Quist", "Ramos", "Rao", "Reyes", "Ricci", "Rossi", "Roux",
    "Sato", "Schulz", "Sharma", "Silva", "Sorensen", "Suzuki", "Tanaka", "Torres", "Tran",
    "Ueda", "Urban", "Vargas", "Vermeer", "Vogel", "Weiss", "Wolff", "Yamada", "Yilmaz",
    "Zielinska", "Zimmer",
)
# fmt: on


def names_of(rng: Dice, count: int) -> list[tuple[str, str]]:
    """First and last names; nobody shares one before the list is used up, and nobody both."""
    first, last = rng.sample(_FIRST, len(_FIRST)), rng.sample(_LAST, len(_LAST))
    return [(first[n % len(first)], last[n % len(last)]) for n in range(count)]
