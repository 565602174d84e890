/** The goals, in the order of the report: one line each. A goal without a result is "not run", never a pass. */
export const GOALS: readonly (readonly [id: string, goal: string])[] = [
  ['R1', '2 daemons, random kill -9, doubled deliveries, link drops: nothing lost, doubled, foreign or hung'],
  ['R2', 'each of the named failpoints struck (those in files of records: R22)'],
  ['R3', 'an SMS is sent twice only after a recorded loss, three times never, and one is missing only after two'],
  ['R4', 'mutated PDUs through decoder and handlers: nothing uncaught, no deaf bind (1 s; 17 s on default timers)'],
  ['R5', 'the connection cut at every octet of a recorded dialogue: the same dialogue'],
  [
    'R6',
    'Redis gone (refused, black-holed): polite end within 2 s, bind stays, dialogues again within 1 s of its return',
  ],
  ['R7', 'Postgres gone, COMMIT reply lost: no false "booked", no false "not booked", healthy within 2 s'],
  [
    'R8',
    'SMSC restarts and flaps: bound within 2 s of its return, no descriptor leaks; on default timers 6 s if it was lost just before, 14 s after an outage of 20 s',
  ],
  ['R9', 'a half-open connection is found within interval + time-out'],
  [
    'R10',
    '20 % of submits throttled: none lost, 80 % of the allowed rate used, USSD as fast as without at the same moment, to 20 % or 25 ms',
  ],
  ['R11', 'soak: memory that is held, descriptors and keys level out'],
  [
    'R12',
    "a flood from one subscriber leaves the others' p99 within 20 % or 25 ms of those that another daemon has at the same moment without it",
  ],
  ['R13', 'simulation under a virtual clock, every failure replayable by its seed'],
  ['R14', 'reminders over all time zones and clock changes'],
  ['R15', 'broken flow files put in place of good ones: each refused with its place, no dialogue hurt'],
  [
    'R16',
    'kill -9 to bound and serving within 2 s, or 2.5 times what loading the modules takes beside it; SIGTERM leaves nothing unanswered',
  ],
  [
    'R17',
    'passwords, tokens, numbers, PINs, texts: none in logs, metrics, HTTP, Redis files; after erasure none in any dump',
  ],
  [
    'R18',
    'systemd-analyze scores the unit 1.5 at most; the container: not root, read-only, no capabilities, no secret',
  ],
  [
    'R19',
    'back ends: no forbidden address reached, no redirect followed, bombs and drips leave at most 3 MB held, and 50 MB at most are in use for a while',
  ],
  ['R20', 'mutation score'],
  [
    'R21',
    'SMS asked for by back ends and applications, under kill -9 and with stores away: each accepted one is sent once by its key, or its loss is recorded',
  ],
  [
    'R22',
    'call detail records, two daemons killed at named points and Postgres away: the set of dialogues opened is the set recorded, and the set in the files for mediation; so of SMS settled, answers promised for later and dials turned away, and one SMS for each who left a screen that asks for it',
  ],
  [
    'R23',
    'records for files alone, two daemons killed at named points and Postgres away: what was opened, settled, promised or turned away is in the files at least once, and nothing else',
  ],
  ['P1', 'each defect that is planted is noticed, by the test or the simulation that is named for it'],
  [
    'H1',
    'Redis Cluster: a master dies, slots move; apologies for 3 s at most once a replica is elected, nothing false, doubled, foreign or hung',
  ],
  [
    'H2',
    'Redis behind Sentinel: the master dies or stops; apologies for 3 s (6 s) at most once another is named, nothing false, doubled, foreign or hung',
  ],
  [
    'H3',
    'Postgres ended at once, its connections killed, a table locked, under load: served again within 2 s, nothing false',
  ],
  ['H4', 'three daemons on the same stores, each key to another: the same dialogue'],
  ['H5', 'Redis stopped, then a daemon, and both going on: served again within 2 s, the stale daemon hurts nobody'],
  ['H6', 'one bind allowed: the daemon on standby takes over within its interval and 2 s'],
  ['H7', 'rolling upgrade of two daemons: nobody notices'],
  [
    'C1',
    'daemons whose clocks differ from those of the stores, and one that is set under load: who is wrong does nothing and says so, and nobody loses a dialogue or an SMS by it',
  ],
  [
    'A1',
    'a crowd of 10,000 dials at once on default settings, at a prompt, a slow and a silent SMSC: whoever is acknowledged is shown a screen or a text, whoever is not has a status',
  ],
]
