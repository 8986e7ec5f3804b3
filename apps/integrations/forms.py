"""What people type in to connect GitHub."""

from __future__ import annotations

from django import forms
from django.core.validators import RegexValidator

LOGIN = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z", "A login has letters, digits and hyphens only.")
TOKEN = RegexValidator(r"^[\x21-\x7e]+\Z", "A token has no spaces and no special letters. Was it copied whole?")


class TokenForm(forms.Form):
    token = forms.CharField(
        label="Token",
        max_length=255,
        strip=True,
        validators=[TOKEN],
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    organization = forms.CharField(
        label="Organisation",
        max_length=100,
        required=False,
        strip=True,
        validators=[LOGIN],
        help_text="Only for a fine-grained token, which cannot list its organisation.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class ChooseAccountForm(forms.Form):
    account = forms.IntegerField(min_value=1)
