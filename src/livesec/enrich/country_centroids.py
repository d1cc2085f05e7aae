"""Where a country is, as one point and a circle around it, for addresses known by country only.

The point is the middle of the country's main territory, the radius (km) reaches its farthest corner, so the
true place of an address lies within it. Far islands and overseas departments are left out (Hawaii, the
Canaries, French Guiana, the Galapagos, the Andamans), the Antarctic and the smallest islands are rough.
Worked out from the public domain boundaries of Natural Earth and rounded up; a setting overrides any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from livesec.core.country_names import iso_code
from livesec.core.errors import SettingsError
from livesec.core.text import shown


@dataclass(frozen=True, slots=True)
class Country:
    """A country: ISO 3166-1 alpha-2 code, English name, centre in degrees, radius in km (10 to 4400)."""

    code: str
    name: str
    lat: float
    lon: float
    radius_km: float


# "code latitude longitude radius name", the 249 of ISO 3166-1 and Kosovo under its usual code XK.
_TABLE: Final = """
AD 42.5 1.6 20 Andorra; AE 24 54.3 350 United Arab Emirates; AF 33.9 67.8 900 Afghanistan;
AG 17.3 -62 60 Antigua and Barbuda; AI 18.4 -63.2 40 Anguilla; AL 41.2 20.2 190 Albania;
AM 40 45 190 Armenia; AO -11.2 17.9 1050 Angola; AQ -85 0 3150 Antarctica; AR -37 -64.5 2050 Argentina;
AS -14.2 -170.2 100 American Samoa; AT 47.7 13.3 340 Austria; AU -26 134.5 2300 Australia;
AW 12.5 -70 20 Aruba; AX 60.2 20.2 110 Åland Islands; AZ 40.1 47.6 320 Azerbaijan;
BA 43.9 17.7 220 Bosnia and Herzegovina; BB 13.2 -59.5 30 Barbados; BD 23.6 90.4 400 Bangladesh;
BE 50.5 4.5 190 Belgium; BF 12.4 -1.6 550 Burkina Faso; BG 42.7 25.5 320 Bulgaria; BH 25.9 50.6 60 Bahrain;
BI -3.4 29.9 160 Burundi; BJ 9.2 2.3 380 Benin; BL 17.9 -62.8 10 Saint Barthélemy;
BM 32.3 -64.8 20 Bermuda; BN 4.5 114.7 100 Brunei; BO -16.3 -63.5 1000 Bolivia;
BQ 12.2 -68.3 30 Caribbean Netherlands; BR -11 -53 2600 Brazil; BS 24.1 -76 500 Bahamas;
BT 27.5 90.5 190 Bhutan; BV -54.5 3.3 10 Bouvet Island; BW -22.2 24.7 750 Botswana;
BY 53.7 27.9 420 Belarus; BZ 17.2 -88.7 160 Belize; CA 57.5 -97 3250 Canada; CC -12 96.9 30 Cocos Islands;
CD -4 21.7 1500 DR Congo; CF 6.7 20.9 900 Central African Republic; CG -0.7 14.8 650 Congo;
CH 46.8 8.2 210 Switzerland; CI 7.4 -5.6 480 Ivory Coast; CK -20.4 -158.7 230 Cook Islands;
CL -35.5 -71.5 2350 Chile; CM 7.3 12.2 750 Cameroon; CN 36 104 2950 China; CO 4 -73.3 1050 Colombia;
CR 9.6 -84.2 270 Costa Rica; CU 21.6 -79.5 600 Cuba; CV 16 -24 210 Cabo Verde; CW 12.2 -68.9 70 Curaçao;
CX -10.5 105.7 20 Christmas Island; CY 35.1 33.4 140 Cyprus; CZ 49.8 15.4 290 Czechia;
DE 51.1 10.3 500 Germany; DJ 11.8 42.5 140 Djibouti; DK 56.1 11.6 300 Denmark; DM 15.4 -61.4 30 Dominica;
DO 18.7 -70.1 230 Dominican Republic; DZ 28.5 2.5 1150 Algeria; EC -1.8 -78.2 500 Ecuador;
EE 58.6 25 230 Estonia; EG 26.7 30 900 Egypt; EH 24.4 -12.8 600 Western Sahara; ER 15.2 39.7 480 Eritrea;
ES 40.1 -3.6 700 Spain; ET 9.2 40.4 1050 Ethiopia; FI 64.5 26.5 650 Finland; FJ -17.6 178.4 250 Fiji;
FK -51.7 -59.5 140 Falkland Islands; FM 5.6 150.2 1550 Micronesia; FO 61.9 -7 80 Faroe Islands;
FR 46.6 2.5 850 France; GA -0.8 11.6 480 Gabon; GB 54.3 -2.6 600 United Kingdom; GD 12.3 -61.5 50 Grenada;
GE 42.3 43.3 310 Georgia; GF 4 -53.1 260 French Guiana; GG 49.6 -2.4 30 Guernsey; GH 7.9 -1.1 430 Ghana;
GI 36.1 -5.3 10 Gibraltar; GL 72 -40 1400 Greenland; GM 13.4 -15.3 180 Gambia; GN 9.9 -11.5 500 Guinea;
GP 16.2 -61.4 70 Guadeloupe; GQ 2.4 9.9 240 Equatorial Guinea; GR 38.3 24 550 Greece;
GS -56.7 -32.3 490 South Georgia; GT 15.8 -90.2 320 Guatemala; GU 13.4 144.8 40 Guam;
GW 11.8 -15.2 190 Guinea-Bissau; GY 4.8 -59 480 Guyana; HK 22.4 114.1 40 Hong Kong;
HM -53 73.5 30 Heard Island; HN 14.5 -86.2 380 Honduras; HR 44.5 16.5 340 Croatia; HT 19 -73 190 Haiti;
HU 47.2 19.5 310 Hungary; ID -2.5 118 2800 Indonesia; IE 53.4 -8.2 280 Ireland; IL 31.4 35.1 240 Israel;
IM 54.2 -4.6 30 Isle of Man; IN 22 80 1950 India; IO -6.3 71.9 150 British Indian Ocean;
IQ 33.2 43.7 700 Iraq; IR 32.4 53.7 1200 Iran; IS 64.9 -19 330 Iceland; IT 42.8 12.1 750 Italy;
JE 49.2 -2.1 20 Jersey; JM 18.1 -77.3 130 Jamaica; JO 31.3 37.1 320 Jordan; JP 36.2 137.2 1500 Japan;
KE 0.5 37.9 700 Kenya; KG 41.3 74.9 550 Kyrgyzstan; KH 12.5 105 370 Cambodia; KI 0.3 174.9 420 Kiribati;
KM -12.2 44.3 160 Comoros; KN 17.3 -62.7 30 Saint Kitts and Nevis; KP 40.3 127.5 410 North Korea;
KR 35.9 127.8 360 South Korea; KW 29.3 47.5 130 Kuwait; KY 19.5 -80.6 100 Cayman Islands;
KZ 48 67.5 1600 Kazakhstan; LA 18.2 103.8 650 Laos; LB 33.9 35.9 120 Lebanon; LC 13.9 -61 30 Saint Lucia;
LI 47.1 9.6 20 Liechtenstein; LK 7.9 80.7 260 Sri Lanka; LR 6.4 -9.5 320 Liberia;
LS -29.6 28.2 160 Lesotho; LT 55.2 23.9 250 Lithuania; LU 49.8 6.1 60 Luxembourg; LV 56.9 24.6 270 Latvia;
LY 26.4 17.2 1150 Libya; MA 31.8 -7.1 750 Morocco; MC 43.7 7.4 10 Monaco; MD 47 28.3 220 Moldova;
ME 42.7 19.4 120 Montenegro; MF 18.1 -63.1 20 Saint Martin; MG -18.8 46.9 850 Madagascar;
MH 8.2 168.7 600 Marshall Islands; MK 41.6 21.7 140 North Macedonia; ML 17.5 -4 1250 Mali;
MM 19.1 96.7 1200 Myanmar; MN 46.9 103.8 1250 Mongolia; MO 22.2 113.6 10 Macao;
MP 17.3 145.5 380 Northern Mariana Islands; MQ 14.6 -61.4 70 Martinique; MR 21 -11 1000 Mauritania;
MS 16.7 -62.2 10 Montserrat; MT 35.9 14.4 30 Malta; MU -20.2 57.6 50 Mauritius; MV 3.2 73.2 450 Maldives;
MW -13 34.2 460 Malawi; MX 23.5 -102.3 1800 Mexico; MY 4 109.5 1150 Malaysia;
MZ -18.5 35.5 1100 Mozambique; NA -23 18.4 1000 Namibia; NC -21.1 165.8 310 New Caledonia;
NE 17.6 8.1 1100 Niger; NF -29.1 167.9 10 Norfolk Island; NG 9.3 8.1 800 Nigeria;
NI 12.9 -85.4 350 Nicaragua; NL 52.2 5.3 220 Netherlands; NO 65 14 1000 Norway; NP 28.4 84.1 460 Nepal;
NR -0.5 166.9 10 Nauru; NU -19 -169.8 20 Niue; NZ -41.2 173.3 850 New Zealand; OM 21.5 55.9 700 Oman;
PA 8.4 -80.1 350 Panama; PE -9.3 -74.9 1150 Peru; PF -17 -150.2 260 French Polynesia;
PG -7.1 148.4 1000 Papua New Guinea; PH 12 122.5 1000 Philippines; PK 30 69.5 1000 Pakistan;
PL 52.1 19.3 450 Poland; PM 46.9 -56.3 30 Saint Pierre and Miquelon; PN -25 -130.1 20 Pitcairn;
PR 18.2 -66.2 120 Puerto Rico; PS 31.9 34.9 110 Palestine; PT 39.5 -7.9 330 Portugal;
PW 7.5 134.4 90 Palau; PY -23.4 -58.5 650 Paraguay; QA 25.3 51.2 110 Qatar; RE -21.1 55.5 50 Réunion;
RO 46 25 470 Romania; RS 44.2 20.9 280 Serbia; RU 61.5 96 4400 Russia; RW -2 29.9 150 Rwanda;
SA 24 45 1200 Saudi Arabia; SB -9.4 159.2 550 Solomon Islands; SC -4.5 55.5 80 Seychelles;
SD 15.3 30.2 1200 Sudan; SE 62.5 16.5 850 Sweden; SG 1.3 103.8 40 Singapore; SH -16 -5.7 20 Saint Helena;
SI 46.1 15 160 Slovenia; SJ 77.6 21.5 470 Svalbard and Jan Mayen; SK 48.7 19.7 240 Slovakia;
SL 8.4 -11.7 250 Sierra Leone; SM 43.9 12.5 10 San Marino; SN 14.5 -14.6 410 Senegal;
SO 5.2 46.1 950 Somalia; SR 3.9 -56 330 Suriname; SS 7.9 29.6 800 South Sudan;
ST 0.8 7 120 São Tomé and Príncipe; SV 13.8 -88.9 150 El Salvador; SX 18 -63.1 10 Sint Maarten;
SY 34.8 39 420 Syria; SZ -26.5 31.4 120 Eswatini; TC 21.5 -71.8 90 Turks and Caicos Islands;
TD 15.4 18.7 1100 Chad; TF -49.2 69.6 100 French Southern Territories; TG 8.5 0.9 310 Togo;
TH 13.1 101.5 950 Thailand; TJ 38.9 71.2 410 Tajikistan; TK -9 -171.9 90 Tokelau;
TL -8.8 126.2 150 Timor-Leste; TM 39 59.5 750 Turkmenistan; TN 33.8 9.5 440 Tunisia;
TO -18.9 -174.9 410 Tonga; TR 39 35 950 Turkey; TT 10.7 -61.2 120 Trinidad and Tobago;
TV -8.2 178 360 Tuvalu; TW 23.6 121 230 Taiwan; TZ -6.4 34.9 900 Tanzania; UA 48.8 31.3 700 Ukraine;
UG 1.4 32.3 440 Uganda; UM 10 -170 2800 US Outlying Islands; US 39.8 -98.6 2700 United States;
UY -32.5 -55.8 370 Uruguay; UZ 41.4 64.5 900 Uzbekistan; VA 41.9 12.5 10 Vatican City;
VC 12.9 -61.3 60 Saint Vincent; VE 6.4 -66.5 1000 Venezuela; VG 18.6 -64.6 50 British Virgin Islands;
VI 18 -64.8 60 US Virgin Islands; VN 16.2 106.5 900 Vietnam; VU -16.6 168.4 460 Vanuatu;
WF -13.8 -177.2 160 Wallis and Futuna; WS -13.8 -172.1 90 Samoa; XK 42.6 20.9 110 Kosovo;
YE 15.8 47.9 700 Yemen; YT -12.8 45.2 40 Mayotte; ZA -29 25 950 South Africa; ZM -13.1 27.7 850 Zambia;
ZW -18.9 29.1 600 Zimbabwe
"""

# Other names that logs and people use, in lower case.
_MAX_LAT, _MAX_LON = 90, 180
_MAX_RADIUS_KM: Final = 20_015  # half the globe's girth: no place is farther from another


def _parsed(entry: str) -> Country:
    code, lat, lon, radius_km, name = entry.split(maxsplit=4)
    return Country(code, name, float(lat), float(lon), float(radius_km))


COUNTRIES: Final[Mapping[str, Country]] = {
    country.code: country for country in map(_parsed, " ".join(_TABLE.split()).split(";"))
}
"""ISO code to country, in order of the codes."""


def with_overrides(centroids: Mapping[str, tuple[float, float, float]]) -> Mapping[str, Country]:
    """COUNTRIES with the setting's places in them: code or name to (latitude, longitude, radius in km).

    Raises SettingsError for an unknown country, a latitude beyond 90, a longitude beyond 180 or a negative
    radius.
    """
    countries = dict(COUNTRIES)
    for text, (lat, lon, radius_km) in centroids.items():
        code = iso_code(text)
        if code is None:
            raise SettingsError(f"country_centroids: {shown(text)!r} is no country; use an ISO code such as DE")
        # Written so that a NaN fails too.
        if not (abs(lat) <= _MAX_LAT and abs(lon) <= _MAX_LON and 0 <= radius_km <= _MAX_RADIUS_KM):
            raise SettingsError(
                f"country_centroids: {code} has ({lat}, {lon}, {radius_km}); expected latitude -90 to 90, "
                f"longitude -180 to 180 and a radius of 0 to {_MAX_RADIUS_KM} km"
            )
        countries[code] = Country(code, COUNTRIES[code].name, float(lat), float(lon), float(radius_km))
    return countries
