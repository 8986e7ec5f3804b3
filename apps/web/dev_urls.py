from django.urls import path

from apps.web import dev_mail

app_name = "dev"
urlpatterns = [
    path("mail/", dev_mail.inbox, name="mail"),
    path("mail/<slug:key>/", dev_mail.show, name="mail_message"),
    path("mail/<slug:key>/html/", dev_mail.html, name="mail_html"),
]
