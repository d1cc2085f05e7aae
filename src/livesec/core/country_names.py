"""Countries by English name or ISO 3166-1 code, for logs that name them.

Names are those in common use beside the official short ones; the codes are ISO's.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# ISO 3166-1 alpha-2, alpha-3, then names as `_plain` writes them, the usual one first.
_COUNTRIES: Final = """
AD AND andorra; AE ARE united arab emirates|uae; AF AFG afghanistan; AG ATG antigua and barbuda; AI AIA anguilla;
AL ALB albania; AM ARM armenia; AO AGO angola; AQ ATA antarctica; AR ARG argentina; AS ASM american samoa;
AT AUT austria; AU AUS australia; AW ABW aruba; AX ALA aland islands; AZ AZE azerbaijan;
BA BIH bosnia and herzegovina; BB BRB barbados; BD BGD bangladesh; BE BEL belgium; BF BFA burkina faso;
BG BGR bulgaria; BH BHR bahrain; BI BDI burundi; BJ BEN benin; BL BLM saint barthelemy; BM BMU bermuda;
BN BRN brunei|brunei darussalam; BO BOL bolivia; BQ BES caribbean netherlands|bonaire; BR BRA brazil; BS BHS bahamas;
BT BTN bhutan; BV BVT bouvet island; BW BWA botswana; BY BLR belarus; BZ BLZ belize; CA CAN canada;
CC CCK cocos islands;
CD COD dr congo|democratic republic of the congo|congo the democratic republic of the|congo kinshasa;
CF CAF central african republic; CG COG republic of the congo|congo|congo brazzaville; CH CHE switzerland;
CI CIV cote d ivoire|ivory coast; CK COK cook islands; CL CHL chile; CM CMR cameroon;
CN CHN china|mainland china|people s republic of china|prc; CO COL colombia; CR CRI costa rica; CU CUB cuba;
CV CPV cabo verde|cape verde; CW CUW curacao; CX CXR christmas island; CY CYP cyprus; CZ CZE czechia|czech republic;
DE DEU germany; DJ DJI djibouti; DK DNK denmark; DM DMA dominica; DO DOM dominican republic; DZ DZA algeria;
EC ECU ecuador; EE EST estonia; EG EGY egypt; EH ESH western sahara; ER ERI eritrea; ES ESP spain; ET ETH ethiopia;
FI FIN finland; FJ FJI fiji; FK FLK falkland islands; FM FSM micronesia; FO FRO faroe islands; FR FRA france;
GA GAB gabon; GB GBR united kingdom|great britain|uk|britain|england|scotland|wales|northern ireland; GD GRD grenada;
GE GEO georgia; GF GUF french guiana; GG GGY guernsey; GH GHA ghana; GI GIB gibraltar; GL GRL greenland;
GM GMB gambia; GN GIN guinea; GP GLP guadeloupe; GQ GNQ equatorial guinea; GR GRC greece; GS SGS south georgia;
GT GTM guatemala; GU GUM guam; GW GNB guinea bissau; GY GUY guyana; HK HKG hong kong|hong kong sar china;
HM HMD heard island and mcdonald islands; HN HND honduras; HR HRV croatia; HT HTI haiti; HU HUN hungary;
ID IDN indonesia; IE IRL ireland; IL ISR israel; IM IMN isle of man; IN IND india;
IO IOT british indian ocean territory; IQ IRQ iraq; IR IRN iran|islamic republic of iran; IS ISL iceland;
IT ITA italy; JE JEY jersey; JM JAM jamaica; JO JOR jordan; JP JPN japan; KE KEN kenya; KG KGZ kyrgyzstan;
KH KHM cambodia; KI KIR kiribati; KM COM comoros; KN KNA saint kitts and nevis|st kitts and nevis;
KP PRK north korea|korea north|dprk|korea democratic people s republic of;
KR KOR south korea|korea south|republic of korea|korea republic of; KW KWT kuwait; KY CYM cayman islands;
KZ KAZ kazakhstan; LA LAO laos; LB LBN lebanon; LC LCA saint lucia|st lucia; LI LIE liechtenstein; LK LKA sri lanka;
LR LBR liberia; LS LSO lesotho; LT LTU lithuania; LU LUX luxembourg; LV LVA latvia; LY LBY libya; MA MAR morocco;
MC MCO monaco; MD MDA moldova; ME MNE montenegro; MF MAF saint martin; MG MDG madagascar; MH MHL marshall islands;
MK MKD north macedonia|macedonia; ML MLI mali; MM MMR myanmar|burma; MN MNG mongolia; MO MAC macao|macau;
MP MNP northern mariana islands; MQ MTQ martinique; MR MRT mauritania; MS MSR montserrat; MT MLT malta;
MU MUS mauritius; MV MDV maldives; MW MWI malawi; MX MEX mexico; MY MYS malaysia; MZ MOZ mozambique; NA NAM namibia;
NC NCL new caledonia; NE NER niger; NF NFK norfolk island; NG NGA nigeria; NI NIC nicaragua;
NL NLD netherlands|holland; NO NOR norway; NP NPL nepal; NR NRU nauru; NU NIU niue; NZ NZL new zealand; OM OMN oman;
PA PAN panama; PE PER peru; PF PYF french polynesia; PG PNG papua new guinea; PH PHL philippines; PK PAK pakistan;
PL POL poland; PM SPM saint pierre and miquelon; PN PCN pitcairn; PR PRI puerto rico;
PS PSE palestine|palestinian territory|palestinian territories; PT PRT portugal; PW PLW palau; PY PRY paraguay;
QA QAT qatar; RE REU reunion; RO ROU romania; RS SRB serbia; RU RUS russia|russian federation; RW RWA rwanda;
SA SAU saudi arabia; SB SLB solomon islands; SC SYC seychelles; SD SDN sudan; SE SWE sweden; SG SGP singapore;
SH SHN saint helena; SI SVN slovenia; SJ SJM svalbard and jan mayen; SK SVK slovakia; SL SLE sierra leone;
SM SMR san marino; SN SEN senegal; SO SOM somalia; SR SUR suriname; SS SSD south sudan; ST STP sao tome and principe;
SV SLV el salvador; SX SXM sint maarten; SY SYR syria|syrian arab republic; SZ SWZ eswatini|swaziland;
TC TCA turks and caicos islands; TD TCD chad; TF ATF french southern territories; TG TGO togo; TH THA thailand;
TJ TJK tajikistan; TK TKL tokelau; TL TLS timor leste|east timor; TM TKM turkmenistan; TN TUN tunisia; TO TON tonga;
TR TUR turkiye|turkey; TT TTO trinidad and tobago; TV TUV tuvalu; TW TWN taiwan; TZ TZA tanzania; UA UKR ukraine;
UG UGA uganda; UM UMI united states minor outlying islands; US USA united states|united states of america|america;
UY URY uruguay; UZ UZB uzbekistan; VA VAT vatican city|holy see|vatican;
VC VCT saint vincent and the grenadines|st vincent and the grenadines; VE VEN venezuela;
VG VGB british virgin islands; VI VIR u s virgin islands|us virgin islands; VN VNM vietnam|viet nam; VU VUT vanuatu;
WF WLF wallis and futuna; WS WSM samoa; YE YEM yemen; YT MYT mayotte; ZA ZAF south africa; ZM ZMB zambia;
ZW ZWE zimbabwe; XK XKX kosovo
"""


def _plain(name: str) -> str:
    """In lower case, without accents, punctuation and a leading article."""
    spaced = name.replace("&", " and ")
    letters = (mark for mark in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(mark))
    words = "".join(mark if mark.isalnum() else " " for mark in "".join(letters).casefold()).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def _table() -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in _COUNTRIES.replace("\n", " ").split(";"):
        two, three, names = entry.strip().split(" ", 2)
        codes |= {plain: two for plain in (two.casefold(), three.casefold(), *names.split("|"))}
    return codes


_CODES: Final = _table()
_LONGEST_NAME: Final = 80  # longer texts are not looked at: they are not a country's name


def iso_code(name: str) -> str | None:
    """ISO 3166-1 alpha-2 code of a country named in English or by code; None for another text.

    What follows a comma may be missing in the table: "Iran, Islamic Republic of".

    >>> iso_code("Russia"), iso_code("de"), iso_code("Korea, Republic of"), iso_code("Mars")
    ('RU', 'DE', 'KR', None)
    """
    if len(name) > _LONGEST_NAME:
        return None
    return _CODES.get(_plain(name)) or _CODES.get(_plain(name.partition(",")[0]))
