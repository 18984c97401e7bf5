"""Results for people (self-contained HTML) and for programs (JSON)."""

from credit_signals.report.company_page import render_company
from credit_signals.report.index_page import MAX_REJECTIONS, IndexLinks, IndexPage, render_index
from credit_signals.report.links import index_name, page_name
from credit_signals.report.results import results_json, results_schema

__all__ = [
    "MAX_REJECTIONS",
    "IndexLinks",
    "IndexPage",
    "index_name",
    "page_name",
    "render_company",
    "render_index",
    "results_json",
    "results_schema",
]
