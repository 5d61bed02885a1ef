"""The addresses of messaging."""

from django.urls import path

from messaging.api.messages import MessageDetailView, MessageListView
from messaging.api.sending import SendBulkView, SendView
from messaging.webhook import WebhookView

urlpatterns = [
    path("webhook/whatsapp", WebhookView.as_view(), name="webhook"),
    path("messaging/send", SendView.as_view(), name="send"),
    path("messaging/send/bulk", SendBulkView.as_view(), name="send-bulk"),
    path("messaging/messages", MessageListView.as_view(), name="messages"),
    path("messaging/messages/<uuid:pk>", MessageDetailView.as_view(), name="message"),
]
