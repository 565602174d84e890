/**
 * What a log event means and what to do, by its message. `npm run docs` reports events without a meaning, and meanings
 * without an event: if you change a message, change its key here.
 */
export const LOG_MEANINGS: Record<string, string> = {
  // error
  'a call detail record cannot be read':
    'A record that waits in the store of dialogues is sealed with a key that is not here (it stays), or was altered (it is removed).',
  'SMS given up':
    'Nobody gets this SMS any more: `reason` says why. `sms` is its number for `ussd-connector sms retry`. docs/SMS.md, "SMS that failed".',
  'a dialogue record in Redis cannot be read':
    'A record is damaged, of another release, or sealed with another key. It is put aside; the subscriber gets the busy text.',
  'deferred answer given up after repeated take-overs: check what its back end answered':
    'Three daemons in a row ended while they brought one deferred answer. The SMS has the busy text. Look at what the back end answered.',
  'deferred answer given up an hour after its time: nobody could tell it':
    'Postgres was away, or the key that opens the row is gone, or its flow is broken. The subscriber is not told; the call detail record says `given-up`.',
  'deferred answer not delivered: it will be tried again':
    'Postgres or the line failed while a deferred answer was brought. It is tried again.',
  'a line could not be replaced': 'A reload failed for this line. The old settings serve on. Look at `err`.',
  'a line did not stop': 'A removed or stopped line left something open. It goes with the process.',
  'a request cannot be coded': 'A bug, or a setting that no PDU can hold. The request was not sent.',
  'a request of the SMSC was not answered by its handler': 'A bug. The SMSC gets an error and may send the PDU again.',
  'a row of ussd_late was altered or is not sealed: it is not delivered':
    'Somebody wrote to Postgres, or the store key is another. Look who can write to the database.',
  'turn given up after repeated take-overs: check what its back end answered and why the earlier daemons ended':
    'Three daemons in a row ended in one turn. The subscriber gets an apology. Look at the back end that `flow` calls.',
  'a test dial failed by a fault of ours':
    'A bug, or a dialect file that is gone. Look at `err`, and please report it.',
  'a test dial failed':
    'A test dial (`testDials`) was not answered as it should be: once an outage. `result`, `why` and `remedy` say more; `ussd-connector test-dial` dials again.',
  'test dials are answered again': 'The end of that outage; `failed` says how many were not answered.',
  'a page of the desk failed':
    'A bug or a store that failed, at a page of the desk. Its visitor got a page that says so.',
  'admin request failed': 'A bug or a store that failed, at an admin route. The caller got a 500.',
  'back end is down: calls are refused at once':
    'Too many calls failed. Calls are refused at once until it answers again.',
  'dialogue store failed':
    'Redis or the journal failed. Dials get the busy text. See `err` and docs/OPERATIONS.md, "Redis".',
  'dialogue store': 'The journal cannot be written. `/ready` answers 503. Look at the disk.',
  'HTTP ingress request failed': 'A bug or a store that failed, at the HTTP ingress. The caller got a 500.',
  'flow refused: its last good revision, if any, stays in force':
    'A flow file has an error. The events `flow problem` say where.',
  'flow problem': 'One fault of a flow file, with its place and its remedy.',
  'flows not reloaded': 'The folder of flows or Postgres was not readable. It is tried again.',
  'framing lost: this is not SMPP':
    'The other end speaks another protocol (TLS, HTTP) or is broken. The link is closed.',
  'a component did not stop': 'At the stop, one component failed to close. The process ends all the same.',
  'Postgres does not answer yet': 'The start waits for Postgres. See `remedy`.',
  'privacy.storeKeyFile is invalid: the old keys stay in force':
    'The changed key file was refused. Correct it: `why` says what is wrong.',
  'redis does not answer yet': 'The start waits for Redis. See `err`.',
  'response to a command that was not sent': 'The SMSC answered with another command than we sent. Tell the operator.',
  'settings refused: nothing has changed': 'SIGHUP: the settings file has a fault. `problem` says which.',
  'submitting an SMS failed with an exception': 'A bug. The SMS stays in the outbox and is tried again.',
  'sweep failed': 'The store failed in the regular look for deadlines. It comes again in `dialogue.sweepMs`.',
  'the bind is down':
    'See `why` and `remedy`, and docs/OPERATIONS.md, "When a bind is down". An `error` needs a person; a `warn` may pass.',
  alarm:
    'What somebody should be woken for: `alarm`, `subject`, `why`, `remedy`. docs/OPERATIONS.md, "Alarms without Prometheus".',
  'alarm over': 'The end of an alarm.',
  'the web-hook of alarms takes no alarm':
    'The first try of an alarm failed: `why`. It is tried again, up to a minute apart, for `alarms.hook.giveUpMs`.',
  'the watch failed': 'A bug in the look for alarms. It looks again in 5 s. Please report it.',
  'the other daemons do not see this one: Postgres is unreachable':
    'Told once. `ussd-connector status` shows this daemon as gone until Postgres answers it.',
  'two daemons have one name': '`status` shows one of them at a time. Give each its own name: the setting `instance`.',
  'a command of another daemon was not answered': 'It was carried out, but Postgres did not take the answer.',
  'a command of another daemon failed': 'A bug. The caller got a 500.',
  'the password of a line is empty':
    'smsc.password or the file of smsc.passwordFile has nothing in it. Some test SMSCs want that, real ones do not.',
  'admin audit: tokens changed': 'admin.tokensFile was changed: roles and names before and after.',
  'admin.tokensFile is invalid: the old tokens stay in force':
    'The changed file was refused: `why`. A token that was to be revoked still works: correct the file.',
  'the bind is still down':
    'The outage lasts. Once in ten minutes, with how many tries it was and since when. `the bind is down` had the remedy.',
  'the history of flows waits for Postgres':
    'Rows of `flow_event` (files that this daemon took) wait in memory, 1,000 at most. Told once; they are written when Postgres answers.',
  'the history of lines waits for Postgres':
    'Rows of `line_event` wait in memory, 10,000 at most. Told once; they are written when Postgres answers.',
  'the handler of a request failed': 'A bug. The SMSC gets an error and may send the PDU again.',
  'the line cannot bind with its new settings: it goes on with the old ones':
    'A reload: the line could not be bound with its new settings. See `why` and `remedy`.',
  'turn failed': 'A bug in a turn. The subscriber gets the busy text.',
  'uncaught exception': 'A bug. Other dialogues go on. Report it with its `stack`.',
  'unhandled rejection': 'A bug. Other dialogues go on. Report it with its `stack`.',
  'the sweep failed for one dialogue':
    'One dialogue whose deadline passed could not be ended. The next sweep tries again.',
  'withheld response not sent':
    'The answer to a deliver_sm that waits for its reply could not be sent. A bug or a lost link.',
  // warn
  'call detail records are not written':
    'Postgres does not take them. They wait beside the dialogues, up to `records.waitingMax`, and are written when it answers.',
  'days of call detail records wait for the next round':
    'Another statement held a lock for too long (55P03), or the role may not create tables (42501). Tried again every ten minutes; rows of a day without a partition are in `cdr_default` meanwhile.',
  'files of call detail records were not written':
    'Postgres did not answer, or the folder (`records.files.dir`) cannot be written. Tried again within 15 seconds; what was cut is written then.',
  'days of call detail records were not looked after': 'Postgres did not answer. Tried again in ten minutes.',
  'one piece of work held the event loop':
    'Nobody else was served for `ms` milliseconds of processor time. `where` says at what: an answer of a back end, a pattern, a flow. Make that one smaller, and please report it.',
  'old sums of the funnel were not removed': 'Postgres did not answer. Tried again in ten minutes.',
  'other users can read the settings file: if one of these settings is a secret, chmod 600':
    'A header, a query of an address or an option of a module may be a key. `settings` has the paths.',
  'receipts match no SMS':
    'The SMSC sent receipts of SMS that the outbox does not know (`receipts` in ten minutes, `messageId`: one of them). See docs/SMS.md, "Receipts that match no SMS".',
  'an SMS is not sent: its template':
    'The line has registered templates, and the text fits none (`why`). The SMS has failed. Register the text and add it to `lines[].sms.templates`, or correct the text; `owner` asked for it.',
  'a setting does nothing': 'Another setting of the line prevents it (`why`). Correct one of them.',
  'PDU refused': 'The SMSC sent what the dialect or `msisdn` refuses. See `remedy`.',
  'SMS refused: its sender number cannot be read':
    'The number of the sender does not fit `msisdn` of the line. See `remedy`.',
  'a back end answered what the flow cannot use':
    'A field is missing or has another type, or a refusal leads nowhere. The flow went to `failed`.',
  'deferred answer waits for the store': 'Postgres failed while a deferred answer was kept. It is tried again.',
  'late submit_sm_resp not stored': 'Postgres failed. The SMS may be sent once more.',
  'a node of the Redis Cluster is lost': 'The other nodes serve on; dialogues of that node wait for its replica.',
  'accepted SMS part not stored yet': 'Postgres failed after the SMSC took a part of an SMS. It is tried again.',
  'screen given up: the SMSC throttles us':
    'The SMSC refused one screen until the turn was over. Ask the operator for a higher rate, lower `sms.perSecond`, or set `submits.perSecond`.',
  'the store is unreachable: lines go on with their last share of the cap':
    'Redis did not answer when this daemon asked for its share of `submits.perSecond`. `shares`: what it goes on with, for each line. Said once.',
  'the caps of lines are shared again': 'Redis answers again. The daemons divide the caps of their lines as before.',
  'daemons disagree about the cap of a line':
    'Another daemon has a smaller `submits.perSecond` for `line`. The smallest counts for all. See `remedy`; during a change it is in order.',
  'a sign-out is known to this daemon only: Postgres is unreachable':
    'Somebody signed out at the desk while Postgres did not answer. Other daemons take the cookie until it is over.',
  'the sign-outs of other daemons are not known: Postgres is unreachable':
    'Asked again every 5 s. Until then, who signed out at another daemon is still let in by this one.',
  'admin audit': 'For the record: who changed or looked at what. `subscriber export` and `erase` write it to stderr.',
  'audit head':
    'The end of the chain of this daemon in the audit: `chain`, `seq`, `hash`. Keep it: `audit verify --head CHAIN,SEQ,HASH` then tells whether somebody wrote the chain again. Each hour, if there is a new one.',
  'the audit waits for Postgres':
    'Postgres took no rows of the audit. They wait in memory (10,000), and are written when it is back.',
  'audit entries are lost: only the log has them':
    'More than 10,000 entries wait for Postgres: the oldest go. `limits_total{limit="audit_waiting"}` counts them; lines `admin audit` of that time are the only record.',
  'audit entries were lost while Postgres was away':
    'Postgres is back; so many `entries` never reached it. The audit has a row that says so.',
  'admin audit: turned away':
    'Somebody came to the admin server without a valid token. Of many of one kind most are only counted.',
  'admin audit: locked out after too many wrong tokens':
    'Somebody at `address` tries tokens. Further ones get 429; a right one is let in.',
  'application not told that a dialogue ended':
    'An application did not take the end of a dialogue. It is not repeated.',
  'back end not told that a dialogue ended': 'A call of `ended` failed. It is not repeated.',
  'the line is held: new dials are turned away':
    'Said at the start: somebody held the line (`lines --hold`) and nobody released it yet.',
  'held lines are not written: a restart would forget this':
    'The data folder cannot be written. The hold is in force until the daemon stops.',
  'held lines cannot be read': 'The file is broken, so no line is held: hold them again, if they should be.',
  'HTTP ingress audit: tokens changed': 'Callers of the door were added, changed or taken out, by file or by a reload.',
  'a token of the HTTP ingress is invalid: the old tokens stay in force':
    'A file with a token or key of the door cannot be read. It is looked at again every five seconds.',
  message: 'At debug: a message of a subscriber, and what became of it (`result`). What was typed is not in it.',
  'turn played': 'At debug: the flow and the screen that a turn led to, and how long it took.',
  'back end answered':
    'At debug: what a back end said to a call (`is`, with the refusal or the failure), without its data.',
  'screen sent': 'At debug: a screen left for the SMSC, and its answer (`is`).',
  'SMS submitted': 'At debug: an SMS was handed to the SMSC, its answer (`is`), and the state that followed.',
  'request of the SMSC': 'At debug: a request came on a link.',
  'request to the SMSC': 'At debug: a request of ours is over; `is` says how.',
  'back end not closed':
    'A reload replaced the back end, and closing the old one failed. Its connections end by themselves.',
  'back end did not take the end': 'A module of a back end failed when it was told of an end.',
  'back end not asked':
    'A call was refused before it left: the back end is down (`backend-breaker`), or has too many calls (`backend-concurrent`, `backend-waiting`).',
  'back end failed': 'One call had no usable answer. `why` says: late, down, nonsense, refused-call.',
  'dialogues are in an embedded journal: they survive the end of the process, not a power cut':
    'Embedded stores are in use. For an operator, set `redis` and `postgres`.',
  'HTTP ingress: request does not follow the contract':
    'A caller of the HTTP ingress speaks another contract. It got a 400.',
  'HTTP ingress audit: turned away':
    'A request was refused: `why` says for what, `who` whose token or key it was. Without tokens (`not-here`, `page`): set `door.tokenFile` if callers are on other machines. Of many of one kind most are only counted.',
  'HTTP ingress audit: locked out after too many wrong tokens':
    'Somebody at `address` tries tokens or signatures. Further ones get 429; right ones are let in.',
  'generic_nack without a sequence number': 'The SMSC could not read a PDU of ours and does not say which.',
  "subscriber's language not read: the store failed":
    'Postgres was slow or away. The dialogue starts in the language of the settings.',
  'deferred answers: Postgres cannot be reached': 'Postgres is unreachable. Deferred answers wait for it.',
  'line dropped: its trace is kept': 'The last PDUs of a line that dropped are in `file`.',
  'outbind refused: we connect to the SMSC': 'The SMSC tries to connect to us. Ask the operator to switch outbind off.',
  'SMS outbox: Postgres cannot be reached': 'Postgres is unreachable. SMS wait for it.',
  postgres: 'A notice of Postgres, or a setting of the server that costs (autovacuum off).',
  redis: 'A setting of the Redis server that may lose dialogues. See docs/OPERATIONS.md, "Redis".',
  'redis has no password: every process that reaches it can end and change dialogues': 'Set a password. See `remedy`.',
  'request of the SMSC refused': 'The SMSC sent a PDU that we cannot read or do not serve. It got `status`.',
  'texts of a back end were cut: they are longer than any screen shows':
    'A back end sends texts of over 4,096 characters.',
  'the SMSC does not answer query_sm: remove sms.queryMs from this line': 'Do so; the questions rest meanwhile.',
  'the bind was down, and is up again':
    'A short outage. `downMs` says how long, `remedy` what to do if it comes again.',
  'the form of message ids in receipts is known':
    'Five receipts in a row showed that the SMSC writes an id in the receipt otherwise than in the response (`form`), or no longer does. Nothing to do.',
  'the calendar is frozen: for tests only': '`USSD_CONNECTOR_FROZEN_CLOCK` is set. Never at a real SMSC.',
  'the connection to Redis is lost': 'The daemon connects again by itself. Dials get the busy text meanwhile.',
  'the database did not exist: created it': 'The first start: the daemon created the database.',
  'the HTTP ingress is open to everybody who reaches it: set door.tokenFile, or keep it on loopback':
    'Anybody on the network can use your flows.',
  'the line is changed, but not bound yet':
    'The new settings are in force and are tried again. See `why` and `remedy`.',
  'the trace of a dropped line cannot be kept': '`trace.dropDir` cannot be written.',
  'SMS upkeep: a store cannot be reached': 'Redis or Postgres is unreachable. It is tried again.',
  'privacy.plainUntil is set: unsealed records are still read, so everybody who can write to the store can forge dialogues':
    '`privacy.plainUntil` is set. Remove it when its moment has passed.',
  'old records not removed': 'Postgres failed in the hourly removal of old records. It is tried again.',
  'revision chosen': 'At debug: which revision of a flow a new dial got.',
  'revision of a dialogue loaded': 'At debug: a dialogue goes on with a revision that was not loaded yet.',
  'SQL statement':
    'At debug: a statement by its name, its time (`ms`) and how many rows it gave; not what it was given.',
  'SQL statement failed': 'At debug: the same for one that failed, with the code of Postgres or of the connection.',
  'connecting to Redis again': 'At debug: the next try of a lost connection, after `ms`.',
  'admin request': 'At debug: who asked which route of the admin server, with what status, and how long it took.',
  'heartbeat written':
    'At debug, every five seconds: how late this beat came (`lateMs`), how long it took, and which other daemons are late.',
  'heartbeat not written': 'At debug: Postgres did not take this beat.',
  'dialogues were not counted: the last count stays':
    'The store did not answer while open dialogues were counted. `flow list` shows the last count, and how old it is.',
  'the module of a back end did not remove its old records':
    'Its `purge` failed or took over a minute: `why` says how. The other modules and the daemon removed theirs. It is asked again in an hour.',
  // info
  'SMS from a subscriber': 'For the record: what became of it is in `result`.',
  'deferred answer delivered': 'A deferred answer reached its subscriber. `pushed` says whether on the screen.',
  'long SMS given up: parts are missing': 'Parts are missing after `sms.long.keepMs`, or there were too many.',
  'back end answers again': 'Calls are made again.',
  'bind state': 'For the record: the bind entered this state.',
  'the last run did not end in order: first turns are stored before they are played':
    'The process before this one crashed or was killed. If one turn did that, its attempts are counted, and it is given up.',
  'a crash of this run will not be noticed at the next start':
    'The data folder takes no file. A turn that kills its process then kills the next one, too. Make `data` writable.',
  'daemon started': 'Flows are loaded, stores are up, lines begin to bind.',
  'database migrated': 'The schema of Postgres is up to date. Older releases do not start any more.',
  'dialogue ended': 'One line for each dialogue. `reason` is explained in docs/LIFECYCLE.md.',
  'flow in force': 'New dials get this revision.',
  'dialogue store keys reloaded': 'The key file changed and is in force.',
  'line changed': 'A line was added, changed, removed, stopped or started.',
  'link closed': 'A link ended. If it was bound, `the bind is down` follows.',
  'call detail records are written again': 'Postgres takes them again; those that waited are written.',
  'days of call detail records':
    'Partitions of `cdr` that were made ahead, filled with rows that came before them, or dropped because they are old (`records.days`).',
  'file of call detail records written': 'A partner has a new file, with so many rows (docs/RECORDS.md).',
  'old records removed': 'How many rows `retention` removed.',
  'settings reloaded': 'SIGHUP: what of the settings took effect, and what waits for a restart.',
  stopped: 'The drain is over. Exit 0.',
  stopping: 'SIGTERM: the drain begins.',
  'SMS that a back end asked for are lost: neither Postgres nor the dialogue store took them':
    'The booking stands, its SMS do not. Look at both stores.',
  'SMS that wait for the outbox cannot be read':
    'They were altered in Redis, or are of a later release. They are dropped.',
  'SMS that a back end asked for wait: Postgres does not answer':
    'They are kept with the dialogues, and go out when it answers.',
  'a web-hook takes no events: they are tried again':
    'Eight failures in a row; `why` is the last. Look at the application at `smsHooks.<hook>.url`.',
  'a web-hook takes events again': 'The end of that. What waited is told now.',
  'an event for a web-hook was given up':
    'It was tried until `giveUpMs` was over. The application never learns what became of this SMS, unless it asks (`GET /v1/sms?key=`).',
  'a flow that a word by SMS started has no answer: the busy text is sent':
    '`why`: there is no such flow, it asks a question, or a fault. `check --config` shows what is wrong with it.',
  'a flow that a word by SMS started makes no call that changes something':
    'The call has failed, and the flow goes on with `failed`. Take it out of this flow: `check --config` shows where.',
  'an SMS that a back end asked for is not sent': '`why`: what is wrong with it. The rest of the answer is used.',
  'the SMS for a subscriber who left a dialogue is not sent':
    'A flow asks for it (`abandoned`). `is` and `what` say why: its number is not allowed, no template fits, or one under its key has left.',
  'the bind is up again': 'The end of an outage that was told.',
  'the connection to Redis is back': 'Dialogues go on.',
  'the clock of this machine is wrong: no turns, no SMS':
    'It differs from that of Redis or Postgres by more than a second (`aheadMs`). The SMSC is asked to deliver again, and nothing is swept or sent. Synchronise the clocks (NTP, chrony).',
  'the clock of this machine is right again': 'The daemon serves again.',
  'the clocks of Redis and Postgres differ':
    'By more than a second (`aheadMs`: how far this machine is ahead of each). Synchronise the clocks of all machines.',
  'the old binds of a changed line make room for the new ones':
    'The SMSC allows no more binds: the old ones are closed first.',
  // debug
  'a node of the Redis Cluster is known': 'A node was learnt.',
  'bind refused': 'One try of a bind. The outage is told by `the bind is down`.',
}
