"""The signal codes. A code is stable: new ones are added, none is reused or renamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["negative", "neutral", "positive"]


@dataclass(frozen=True, slots=True)
class SignalCode:
    """A kind of event that a company's website may state."""

    code: str
    meaning: str
    tone: Tone


SIGNAL_CODES: tuple[SignalCode, ...] = (
    SignalCode("insolvency", "bankruptcy, administration, receivership, arrangement with creditors", "negative"),
    SignalCode("wind_down", "the company stops trading or is dissolved", "negative"),
    SignalCode("site_closure", "closes a plant, branch, store, office or line", "negative"),
    SignalCode("layoffs", "job cuts, redundancies, short-time work, furlough", "negative"),
    SignalCode("labour_dispute", "strike, lock-out, union conflict", "negative"),
    SignalCode("executive_exit", "chief, director, founder or partner leaves, is dismissed or dies", "negative"),
    SignalCode("executive_hire", "chief, director or partner is appointed or promoted", "neutral"),
    SignalCode("ownership_change", "the company or a controlling stake is sold, taken over or floated", "neutral"),
    SignalCode("acquisition", "the company buys or merges with another", "neutral"),
    SignalCode("divestment", "the company sells or spins off a unit, brand or stake", "neutral"),
    SignalCode("litigation", "lawsuit, trial, judgment, settlement, arbitration", "negative"),
    SignalCode("regulatory_action", "investigation, fine, sanction or licence lost by an authority's act", "negative"),
    SignalCode("recall", "product recall, quality or safety failure", "negative"),
    SignalCode("certification", "certificate, licence, accreditation or award gained or lost", "positive"),
    SignalCode("contract_win", "order, contract, tender or key customer gained", "positive"),
    SignalCode("contract_loss", "order, contract or key customer lost, cancelled or not renewed", "negative"),
    SignalCode("supply_disruption", "supplier failure, shortage, lost distribution right, stop", "negative"),
    SignalCode("customer_concentration", "depends on one or few customers", "negative"),
    SignalCode("expansion", "new site, market, capacity or investment", "positive"),
    SignalCode("hiring", "recruits, adds jobs", "positive"),
    SignalCode("product_launch", "new product, service or line", "positive"),
    SignalCode("funding", "raises equity, grant, loan or credit line", "positive"),
    SignalCode("payment_distress", "late payment, default, covenant breach, rating downgrade", "negative"),
    SignalCode("weak_results", "profit warning, loss, falling sales, orders or margin", "negative"),
    SignalCode("strong_results", "rising sales, orders, profit or margin", "positive"),
    SignalCode("cyber_incident", "breach, ransomware, fraud against its systems", "negative"),
    SignalCode("disaster", "fire, flood, accident, explosion", "negative"),
    SignalCode("relocation_rename", "new address, legal name or legal form", "neutral"),
)

BY_CODE: dict[str, SignalCode] = {entry.code: entry for entry in SIGNAL_CODES}
