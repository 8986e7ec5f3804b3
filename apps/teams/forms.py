from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from django import forms
from django.utils.text import slugify

from apps.teams.models import Team

if TYPE_CHECKING:
    TeamForm = forms.ModelForm[Team]
else:
    TeamForm = forms.ModelForm


class CreateTeamForm(TeamForm):
    """Names a team. The address is suggested from the name while it is typed (static/js/slug.js), and made from it when
    it is left empty.
    """

    slug = forms.CharField(
        label="Address",
        max_length=50,
        required=False,
        help_text="Lower-case letters, digits and hyphens. It stays the same when you rename the team.",
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "data-slug-target": ""}
        ),
    )

    class Meta:
        model = Team
        fields = ("name", "slug")
        labels = {"name": "Name of the team"}
        help_texts = {"name": "Usually the organisation or department whose pull requests you look at."}
        widgets = {
            "name": forms.TextInput(attrs={"autofocus": True, "autocomplete": "organization", "data-slug-source": ""}),
        }

    def clean_slug(self) -> str:
        slug = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("name", ""))[:50].strip("-")
        if not slug:
            raise forms.ValidationError("Choose an address, such as “acme-web”: none can be made from the name.")
        return str(slug)


def _time_zones() -> list[tuple[str, str]]:
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class TeamSettingsForm(forms.Form):
    """What an admin may change. Validated by `services.update_team` too, which the command line uses."""

    name = forms.CharField(label="Name of the team", max_length=100)
    time_zone = forms.ChoiceField(
        label="Time zone", choices=_time_zones, help_text="Weeks and days of the numbers begin at midnight there."
    )
