"""LiveSec's settings. Edit this file; each setting stands with its unit, default and reason.

A later layer wins: this file, then data/tuned.toml, .env, environment variables (LIVESEC_<NAME>) and --set NAME=VALUE.
A wrong name, type or range stops the start with a line that says which.
"""

# Where things are -----------------------------------------------------------------------------------------------------

LOGS = []  # paths, folders or globs to watch; empty: the demo's logs if there are any, else the usual places
DB = "data/livesec.db"  # the store, a SQLite file
DEMO_DB = "data/demo.db"  # store of demo data, which never mixes with real logs
DATA_DIR = "data"  # folder of the demo logs
TIME_ZONE = "UTC"  # IANA name; zone of log times that state none (RFC 3164, CSV, FTP): your server's, if not UTC
TIME_ZONES = {}  # {"/srv/paris/*": "Europe/Paris"}: zone by source, the first glob that fits the path; else TIME_ZONE
FORMAT_FILES = []  # mapping files (docs/mapping.md) or globs: logs of your own, tried before the built-in formats
JOURNAL = None  # follow the systemd journal: True, False, or None for "where there is no auth.log"

# Detection thresholds, with the defaults of the livesec seed ----------------------------------------------------------

UNUSUAL_HOURS_START = 22  # hour of day, UTC; outside working hours begins, used until a user's own hours are known
UNUSUAL_HOURS_END = 6  # hour of day, UTC
FAILED_LOGIN_THRESHOLD = 5  # attempts; fewer are typing mistakes
GEO_DISTANCE_KM = 1000  # km from all usual places; nearer is a trip
TRAFFIC_SPIKE_FACTOR = 3.0  # times the usual volume
CONNECTION_COUNT_THRESHOLD = 100  # connections a minute below which nothing is "many"
DATA_VOLUME_BYTES = 1_000_000  # bytes below which nothing is a spike
LARGE_FILE_BYTES = 100_000_000  # bytes; large for anyone without history of their own
EXFILTRATION_BYTES = 10_000_000  # bytes an hour to an external destination
EXTERNAL_DESTINATIONS = ["external_drive", "cloud_storage", "email", "ftp_server"]
ACCESS_FREQUENCY_THRESHOLD = 10  # sensitive files an hour that are many for anyone
SENSITIVE_WORDS = ["password", "key", "secret", "confidential", "customer", "financial", "security"]  # in paths
SUSPICIOUS_PORTS = [1337, 4444, 6666, 31337, 1234, 12345]  # destination ports of well-known back doors
SUSPICIOUS_COUNTRIES = []  # report every login from these: ISO codes or English names, such as ["Iran", "KP"]
COUNTRY_CENTROIDS = {}  # {"DE": (51.1, 10.4, 450)}: latitude, longitude, error radius in km; else a built-in table
RELAY_NETWORKS = []  # CIDRs of your VPN, relay and hosting providers; no travel speed is computed for them
GEO_CITY_FILE = None  # path of a city file in MaxMind's format (.mmdb): places of cities in place of country centres
GEO_ASN_FILE = None  # the same for autonomous systems: their real numbers in place of stand-ins for their names
PACKET_FOREST = "data/packet_forest.npz"  # made by `livesec lab train`; behavioural_anomaly is off until it is there
SEED_MODE = False  # True: the livesec seed's own behaviour, fixed thresholds and one alert per event

# Parameters of single detectors, see `livesec detectors`; for example {"bf_fast": {"leak_s": 20}}.
DETECTORS = {}
DISABLED_DETECTORS = []  # names of detectors to switch off

# Scoring --------------------------------------------------------------------------------------------------------------

SEVERITY_MEDIUM = 4.0  # on the 0-10 scale, as in CVSS
SEVERITY_HIGH = 7.0
SEVERITY_CRITICAL = 9.0
ASSET_WEIGHTS = {}  # 0.8 to 1.3 by user, address or host: {"payroll-db": 1.3}
ALERTS_PER_DAY = 5  # anomalies of medium or higher wanted on a quiet day; shown against what came; see `livesec tune`
SUPPRESSIONS = []  # {"detector": "bf_fast", "entity": "192.0.2.0/24", "until": date or None, "reason": "our scanner"}
FEEDBACK = []  # {"detector": "bf_fast", "entity": "192.0.2.9", "weight": 0.5, "reason": "a script of ours"}

# Timing ---------------------------------------------------------------------------------------------------------------

RESCAN_INTERVAL_S = 1.0  # s; every watched file is looked at this often, whatever file events say
IDLE_RESCAN_INTERVAL_S = 5.0  # s; the same while nothing happens
BATCH_INTERVAL_S = 0.05  # s; wait for more lines before a batch: longer saves CPU, shorter alerts sooner
SNAPSHOT_INTERVAL_S = 30.0  # s; state is saved this often, the lines in between are replayed after a crash
DASHBOARD_REFRESH_S = 2.0  # s; the desk looks for news this often
DASHBOARD_PORT = 8501  # on 127.0.0.1
HISTORY = "7d"  # first look at a file: "start", "end", or days of history that teach what is normal

# Bounds ---------------------------------------------------------------------------------------------------------------

RECENT_EVENTS = 500  # rows per log type for the desk's live streams
REJECT_SAMPLES = 1000  # unusable lines kept to look at; all are counted
CONSOLE_ALERTS_FROM = "medium"  # lowest severity printed on the console

# Co-pilot -------------------------------------------------------------------------------------------------------------
# OPENAI_API_KEY and OPENAI_BASE_URL belong into .env; without them LiveSec explains by itself and sends nothing away.

EXPLAIN_MODEL = "gpt-5-mini"  # as the endpoint names it
EXPLAIN_FROM = "medium"  # lowest severity that the model words; the rest keeps LiveSec's own text
EXPLAIN_VIEW = "technical_expert"  # or risk_assessor, incident_responder, threat_intelligence, executive_briefing
EXPLAIN_LANGUAGE = "English"  # of the model's prose; figures, commands and ATT&CK stay as they are
EXPLAIN_API = "chat"  # chat: what all servers speak; responses: OpenAI's newer API
EXPLAIN_TIMEOUT_S = (
    None  # s for an answer; None: 20, and 180 for an endpoint on this machine (models on a CPU are slow)
)
EXPLAIN_MAX_TOKENS = 1200  # tokens of an answer
EXPLAIN_TEMPERATURE = 0.2  # 0 to 2; explanations should not surprise
EXPLAIN_KINDS_PER_CALL = None  # kinds of finding in one call; None: 6, and 1 for an endpoint on this machine
EXPLAIN_CALLS_PER_MINUTE = 10  # calls
EXPLAIN_CALLS_PER_DAY = 200  # calls; a fifth is kept for what is critical
EXPLAIN_TOKENS_PER_DAY = 200_000  # tokens, asked and answered
EXPLAIN_QUEUE = 10_000  # anomalies that may wait; beyond, the least severe keep LiveSec's own text
EXPLAIN_REDACT = None  # True or False; None: pseudonyms for users, addresses and paths unless the endpoint is here
