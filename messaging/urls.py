"""The addresses of messaging."""

from django.urls import path

from messaging.accepting.api import SendBulkView, SendView
from messaging.conversations.read_receipts_api import ReadView
from messaging.incoming.webhook import WebhookView
from messaging.media.api import MediaView, UploadView
from messaging.messages.api import MessageDetailView, MessageListView
from messaging.messages.cancel_and_retry_api import CancelView, RetryView
from messaging.outgoing.holds.campaigns_api import HoldCampaignView, ResumeCampaignView
from messaging.subscriptions.api import (
    DeliveryListView,
    DeliveryView,
    ReplayFailedView,
    ReplayView,
    RotateView,
    SendTestView,
    SubscriptionListView,
    SubscriptionView,
)
from messaging.template_management.api import TemplateListView, TemplateView
from waproject.web.rejected_webhooks import PATH as WEBHOOK_PATH

urlpatterns = [
    path(WEBHOOK_PATH.lstrip("/"), WebhookView.as_view(), name="webhook"),
    path("messaging/send", SendView.as_view(), name="send"),
    path("messaging/send/bulk", SendBulkView.as_view(), name="send-bulk"),
    path("messaging/messages", MessageListView.as_view(), name="messages"),
    path("messaging/messages/<uuid:pk>/cancel", CancelView.as_view(), name="cancel"),
    path("messaging/messages/<uuid:pk>/read", ReadView.as_view(), name="read"),
    path("messaging/messages/<uuid:pk>/retry", RetryView.as_view(), name="retry"),
    path("messaging/messages/<uuid:pk>/media", MediaView.as_view(), name="media"),
    path("messaging/media", UploadView.as_view(), name="upload-media"),
    # A campaign's name may hold a slash.
    path("messaging/campaigns/<path:campaign>/hold", HoldCampaignView.as_view(), name="hold-campaign"),
    path("messaging/campaigns/<path:campaign>/resume", ResumeCampaignView.as_view(), name="resume-campaign"),
    path("messaging/messages/<uuid:pk>", MessageDetailView.as_view(), name="message"),
    path("messaging/templates", TemplateListView.as_view(), name="templates"),
    path("messaging/templates/<int:pk>", TemplateView.as_view(), name="template"),
    path("messaging/subscriptions", SubscriptionListView.as_view(), name="subscriptions"),
    path("messaging/subscriptions/<uuid:pk>", SubscriptionView.as_view(), name="subscription"),
    path("messaging/subscriptions/<uuid:pk>/rotate", RotateView.as_view(), name="rotate"),
    path("messaging/subscriptions/<uuid:pk>/test", SendTestView.as_view(), name="test-subscription"),
    path("messaging/subscriptions/<uuid:pk>/replay", ReplayFailedView.as_view(), name="replay-failed"),
    path("messaging/subscriptions/<uuid:pk>/deliveries", DeliveryListView.as_view(), name="deliveries"),
    path("messaging/deliveries/<uuid:pk>", DeliveryView.as_view(), name="delivery"),
    path("messaging/deliveries/<uuid:pk>/replay", ReplayView.as_view(), name="replay"),
]
