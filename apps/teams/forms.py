from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from django import forms

from apps.teams.models import Team

if TYPE_CHECKING:
    TeamForm = forms.ModelForm[Team]
else:
    TeamForm = forms.ModelForm


class CreateTeamForm(TeamForm):
    """Names a team. The address is suggested from the name while it is typed (static/js/slug.js)."""

    class Meta:
        model = Team
        fields = ("name", "slug")
        labels = {"name": "Name of the team", "slug": "Address"}
        help_texts = {
            "name": "Usually the organisation or department whose pull requests you look at.",
            "slug": "Lower-case letters, digits and hyphens. It stays the same when you rename the team.",
        }
        widgets = {
            "name": forms.TextInput(attrs={"autofocus": True, "autocomplete": "organization", "data-slug-source": ""}),
            "slug": forms.TextInput(
                attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "data-slug-target": ""}
            ),
        }


def _time_zones() -> list[tuple[str, str]]:
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class TeamSettingsForm(forms.Form):
    """What an admin may change. Validated by `services.update_team` too, which the command line uses."""

    name = forms.CharField(label="Name of the team", max_length=100)
    time_zone = forms.ChoiceField(
        label="Time zone", choices=_time_zones, help_text="Weeks and days of the numbers begin at midnight there."
    )
