"""The paths of the Graph API, under any version."""

from __future__ import annotations

from tornado.web import RequestHandler

from . import account, media, messages, registration, subscriptions, templates, tokens

# The first that matches answers.
ROUTES: list[tuple[str, type[RequestHandler]]] = [
    (messages.MESSAGES_PATH, messages.MessagesHandler),
    (messages.MARKETING_PATH, messages.MarketingHandler),
    (media.UPLOAD_PATH, media.UploadHandler),
    (tokens.DEBUG_TOKEN_PATH, tokens.DebugTokenHandler),
    (account.NUMBERS_PATH, account.NumbersHandler),
    (subscriptions.SUBSCRIBED_APPS_PATH, subscriptions.SubscribedAppsHandler),
    (subscriptions.SUBSCRIPTIONS_PATH, subscriptions.SubscriptionsHandler),
    (registration.REGISTER_PATH, registration.RegisterHandler),
    (templates.TEMPLATES_PATH, templates.TemplatesHandler),
    (media.MEDIA_PATH, templates.NodeOrTemplateHandler),
    (media.FILE_PATH, media.FileHandler),
]
