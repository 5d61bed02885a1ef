"""Nodes of the Graph API other than messages and media: accounts, numbers, templates, tokens and subscriptions."""

from messaging.whatsapp.graph.client import GraphApi
from messaging.whatsapp.graph.nodes import (
    AccountNode,
    Health,
    HealthEntity,
    NumberNode,
    Subscription,
    TemplateNode,
    TokenInfo,
)
from messaging.whatsapp.graph.pricing import PricePoint

__all__ = [
    "AccountNode",
    "GraphApi",
    "Health",
    "HealthEntity",
    "NumberNode",
    "PricePoint",
    "Subscription",
    "TemplateNode",
    "TokenInfo",
]
