"""Which NAICS 2022 subsectors and NACE Rev. 2 divisions an industry of the GICS scheme can mean.

The project's own mapping, for training only: an industry names candidates, the text of the company decides among them.
Industries that say nothing of the activity (holdings, conglomerates, distributors of anything) are left out.
"""

from __future__ import annotations

GICS: dict[str, tuple[str, str]] = {
    # industry: (NAICS 2022 prefixes, NACE Rev. 2 divisions)
    "Aerospace & Defense": ("336", "30 25 26"),
    "Air Freight & Logistics": ("484 488 492 493 481", "49 52 53 51"),
    "Airlines": ("481", "51"),
    "Auto Components": ("336 326", "29 22"),
    "Automobiles": ("336 441", "29 30 45"),
    "Banks": ("522", "64"),
    "Beverages": ("312", "11"),
    "Biotechnology": ("325 541", "21 72"),
    "Building Products": ("321 326 327 332 333", "16 22 23 25 28"),
    "Capital Markets": ("523", "64 66"),
    "Chemicals": ("325", "20"),
    "Commercial Services & Supplies": ("561 562 323 337", "38 80 81 82 18 31"),
    "Communications Equipment": ("334", "26"),
    "Construction & Engineering": ("236 237 238 541", "41 42 43 71"),
    "Construction Materials": ("327 212", "23 08"),
    "Consumer Finance": ("522", "64"),
    "Diversified Telecommunication Services": ("517", "61"),
    "Electric Utilities": ("221", "35"),
    "Electrical Equipment": ("335", "27"),
    "Electronic Equipment, Instruments & Components": ("334 335 423", "26 27 46"),
    "Energy Equipment & Services": ("213 333 211", "09 28"),
    "Entertainment": ("512 513 711 516", "59 58 90 60"),
    "Equity Real Estate Investment Trusts (REITs)": ("531", "68"),
    "Food & Staples Retailing": ("445 455 456 424", "47 46"),
    "Food Products": ("311", "10"),
    "Gas Utilities": ("221 457", "35"),
    "Health Care Equipment & Supplies": ("339 334 325", "32 26"),
    "Health Care Providers & Services": ("621 622 623", "86 87"),
    "Hotels, Restaurants & Leisure": ("721 722 713 561 483", "55 56 92 93 79"),
    "Household Durables": ("236 335 337 334", "41 27 31 26"),
    "Household Products": ("325 322", "20 17"),
    "IT Services": ("541 518", "62 63"),
    "Independent Power and Renewable Electricity Producers": ("221", "35"),
    "Insurance": ("524", "65 66"),
    "Interactive Media & Services": ("519 516 513", "63 58"),
    "Internet & Direct Marketing Retail": ("455 456 458 459 449", "47"),
    "Machinery": ("333 332", "28 25"),
    "Marine": ("483 488", "50 52"),
    "Media": ("513 516 541 512", "58 60 73 59"),
    "Metals & Mining": ("212 331", "07 08 24 05"),
    "Oil, Gas & Consumable Fuels": ("211 213 324 486 212", "06 09 19 05 49"),
    "Paper & Forest Products": ("322 113 321", "17 02 16"),
    "Pharmaceuticals": ("325", "21"),
    "Professional Services": ("541 561", "69 70 71 78 82"),
    "Real Estate Management & Development": ("531 236", "68 41"),
    "Road & Rail": ("482 484 485", "49"),
    "Semiconductors & Semiconductor Equipment": ("334 333", "26 28"),
    "Software": ("513 541 518", "62 58"),
    "Specialty Retail": ("441 444 449 458 459", "45 47"),
    "Technology Hardware, Storage & Peripherals": ("334", "26"),
    "Textiles, Apparel & Luxury Goods": ("313 314 315 316 339", "13 14 15 32"),
    "Thrifts & Mortgage Finance": ("522", "64"),
    "Tobacco": ("312", "12"),
    "Transportation Infrastructure": ("488", "52"),
    "Waste Management": ("562", "38"),
    "Water Utilities": ("221", "36"),
}


def candidates(industry: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """NAICS prefixes and NACE divisions of an industry; both empty where it says nothing of the activity."""
    naics, nace = GICS.get(industry, ("", ""))
    return tuple(naics.split()), tuple(nace.split())
