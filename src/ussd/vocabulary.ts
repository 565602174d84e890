/**
 * The vocabulary. Everything else in the tree is written in these words; no word has two jobs. The third column is what
 * others say, or what this code said before: not here. docs/GLOSSARY.md has the same table (`npm run docs` copies it).
 *
 * | word              | means                                                              | not, or before           |
 * | ----------------- | ------------------------------------------------------------------ | ------------------------ |
 * | MSISDN            | the subscriber's number: international digits, no `+`              | phone, user              |
 * | subscriber        | the person who dials, known by the MSISDN                          | user                     |
 * | ESME / SMSC       | us / the operator's end (a USSD gateway speaks as one)             | client, server           |
 * | PDU               | one SMPP message on the wire                                       | packet                   |
 * | service code      | what was dialled: `*384*1#`                                        | short code               |
 * | line              | one configured connection to one SMSC: dialect, binds, limits      | provider, channel        |
 * | bind              | one SMPP login that a line keeps up; a line has one or more        |                          |
 * | link              | the live SMPP connection of one bind                               | session                  |
 * | window            | how many requests may wait for a response on one link              |                          |
 * | cap, share        | what a whole line may send a second / this daemon's part of it     |                          |
 * | dialect           | one operator's way of putting USSD into SMPP                       | adapter, driver, voice   |
 * | profile           | the YAML file that describes a dialect: `dialects/NAME.yaml`       |                          |
 * | network coding    | the simulator's side of a dialect: it speaks as the network does   | voice, profile-hear      |
 * | codec fast path   | the code that codes the most frequent PDUs without tables          | hot                      |
 * | dialogue          | one USSD conversation, from PSSR indication to its end             | session                  |
 * | message / reply   | what the network said / what we say: `UssdMessage`, `UssdReply`    | request, response        |
 * | turn              | one message in, at most one reply out                              | cycle                    |
 * | epoch             | the id of one dialogue, made by us when it opens (UUIDv7)          | session id               |
 * | intention         | `epoch:turn:call`: the idempotency key of each effect of a turn    | request id               |
 * | want              | what a resting dialogue waits to do: ask, notify, end or call      | effect                   |
 * | lease             | how long a turn or a row belongs to one daemon                     |                          |
 * | takeover          | another daemon goes on with a turn whose daemon died               |                          |
 * | tombstone         | what the store keeps of a dialogue that ended, to know late copies |                          |
 * | admission         | the decision whether a message may open or continue a dialogue     |                          |
 * | drain             | SIGTERM: no new dialogues, pay what is owed, unbind, exit 0        |                          |
 * | sweep             | the regular look for dialogues whose deadline has passed           |                          |
 * | flow / screen     | a menu that an operator wrote / one step of it                     | journey, node            |
 * | part              | a file of screens that flows include or call; nothing else is one  | four things              |
 * | compiled texts    | the texts of a flow, parsed once when it is loaded                 | speech                   |
 * | revision          | flow name and 12 hex digits of its hash: `dental@9f2c01ab77de`     | version                  |
 * | trial             | a revision that serves a share of the subscribers (`flow canary`)  |                          |
 * | recall            | an operator's decision that a revision serves nobody any more      |                          |
 * | desk              | the pages for operators, at `/desk` of the admin server            | console, dashboard       |
 * | talk              | a written conversation that tests a flow                           | scenario                 |
 * | explorer          | the code that visits every screen of a flow without a network      | walk, press, trail       |
 * | edge              | one way from one screen to the next, with what is typed there      | press, meets             |
 * | state key         | what two visits of a screen must share to count as one             | walk-sign                |
 * | coverage item     | one screen, choice, refusal or transition that a talk should visit | things                   |
 * | synthetic answer  | an answer that `examples` of a kind of screen make up              | made-*                   |
 * | fixture           | a prepared set of data or processes for a test                     | world, scene             |
 * | back end          | a named source of data and actions that a flow may call            | webhook                  |
 * | web-hook          | an address that is told what became of SMS of its owners           | callback                 |
 * | application       | an HTTP program of somebody else that a service code leads to      |                          |
 * | contract          | the YAML file that says how an application speaks HTTP             | adapter                  |
 * | circuit breaker   | stops calls to a back end that fails (`allow`, `record`)           | ask, learn               |
 * | deferred answer   | an answer that comes after the network's patience: by push or SMS  | late                     |
 * | push              | a USSD dialogue that we open (USSR or USSN request)                |                          |
 * | SMS outbox        | the table of SMS that we owe; `enqueueSms` adds one                | reminders, oweSms        |
 * | receipt           | the SMSC's message that says what became of an SMS                 | report                   |
 * | HTTP ingress      | the HTTP server through which programs use our flows               | door                     |
 * | admin service     | the functions behind the admin routes                              | desk                     |
 * | monotonic clock   | a clock that never goes back: for durations                        | onward                   |
 * | wall clock        | the clock of dates: for deadlines that are stored                  |                          |
 * | batched counter   | a metric that is counted in memory and told when it is asked for   | tally                    |
 * | semaphore         | lets a fixed number of tasks run at once                           | turnstile                |
 * | did-you-mean      | the known word that is nearest to a misspelt one                   | nearest                  |
 * | deps              | what a function is handed: log, clock, stores (`*Deps`)            | `*Parts`                 |
 * | face              | the `index.ts` of a room: the only file that other rooms import    |                          |
 * | room              | one folder of `src` with one purpose and one face                  |                          |
 * | fault injector    | the test code that breaks things on purpose                        | weather                  |
 * | judged run        | one run of a campaign with its goals and what came of them         | ordeal                   |
 *
 * USSD operations keep the standard's names (SMPP v3.4 §5.3.2.44): PSSR indication 1, USSR request 2, USSN request 3,
 * PSSR response 17, USSR confirm 18, USSN confirm 19.
 */

/** Everything that survives JSON unchanged: what a dialogue may remember. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/**
 * What the network told us.
 * begin: PSSR/PSSD indication · input: USSR confirm · notify-ack: USSN confirm · end: the network closed the dialogue ·
 * abort: the subscriber or the network gave it up · timeout: the network's own timer fired.
 */
export type UssdKind = 'begin' | 'input' | 'notify-ack' | 'end' | 'abort' | 'timeout'

/** One message of the network about one dialogue. Every dialect reads its PDUs into this form. */
export interface UssdMessage {
  kind: UssdKind
  msisdn: string
  /**
   * The network's own name of the dialogue, as the dialect reads it ('' if there is none: the MSISDN is the key). It
   * wraps and repeats: it can distinguish a repeat from a redial, but it is never an identity. See epoch.
   */
  network: string
  /**
   * The turn counter that the network sent with this PDU (octet 2 of its_session_info in the standard reading).
   * Undefined if the dialect has none.
   */
  step?: number
  /** On begin: what was dialled, normalised: `*123*2*2#`. '' for all other kinds. */
  code: string
  /** What the subscriber typed, cleaned: no NUL, no lone surrogates, no control characters. '' on begin. */
  text: string
  /** What the dialect needs to answer this PDU, as JSON. It is stored with the dialogue. */
  returnPath: ReturnPath
  /** IMSI, VLR, cell, language …, if the dialect finds them. Personal data. */
  meta: Record<string, string>
}

/** What a dialect must remember of a PDU to answer it, here or in another daemon. Only the dialect reads it. */
export interface ReturnPath {
  /** source_addr of the incoming PDU: where the reply goes. [ton, npi, digits] */
  from: [number, number, string]
  /** destination_addr of the incoming PDU: the source of the reply. [ton, npi, digits] */
  to: [number, number, string]
  serviceType: string
  /** ussd_service_op of this dialogue's begin (a PSSD is answered with 16, not 17). */
  beginOp?: number
  /** Raw octets of the session carrier, hex; '' if there was none. */
  carrier: string
  /** What else one dialect keeps, such as envelope parameters. */
  more?: Record<string, string>
}

/**
 * What we say. continue: USSR request, waits for an answer · end: PSSR response, closes the dialogue · notify: USSN
 * request, waits only for an acknowledgement · push-begin / push-end: the same in a dialogue that we opened · abort:
 * release without text.
 */
export type UssdAction = 'continue' | 'end' | 'notify' | 'push-begin' | 'push-end' | 'abort'

export interface UssdReply {
  action: UssdAction
  text: string
}

/**
 * Why a dialogue ended; each is a metrics label.
 * completed: an end screen · exit: the subscriber chose to leave (an end screen marked `exit`) · subscriber-abort /
 * network-abort · idle: no answer in time · total: too long altogether · backend-failed · store-failed · bind-lost: no
 * link to answer on · refused: the SMSC did not accept the reply · superseded: a new dial · overload · too-many-wrong ·
 * flow-gone: its revision is missing · failed: a bug of ours, caught · drained: the daemon stopped · operator: by hand
 * · recalled: an operator recalled its flow revision.
 */
export type EndReason =
  | 'completed'
  | 'exit'
  | 'subscriber-abort'
  | 'network-abort'
  | 'idle'
  | 'total'
  | 'backend-failed'
  | 'store-failed'
  | 'bind-lost'
  | 'refused'
  | 'superseded'
  | 'overload'
  | 'too-many-wrong'
  | 'flow-gone'
  | 'failed'
  | 'drained'
  | 'operator'
  | 'recalled'
  | 'answer-later'

/** The alphabets that a USSD string may have. (3GPP TS 23.038 §5) */
export type Alphabet = 'gsm7' | 'ucs2'

/** How long one USSD page may be. 160 octets hold 182 septets or 80 UCS-2 units. (3GPP TS 23.038 §6.1.2.3, 24.090) */
export interface PageLimit {
  septets: number
  ucs2: number
  /** The text is written from right to left: its marks take room, too. */
  isRtl?: true
}

export const USSD_PAGE: PageLimit = { septets: 182, ucs2: 80 }

/** The source of time. Only the daemon and test support create one. */
export interface Clock {
  /** Milliseconds of the wall clock: deadlines, leases, logs. */
  now(): number
  /** Milliseconds of the calendar: dates that a subscriber sees. The same as now(), unless the calendar is frozen. */
  today(): number
  /** Runs once after this many milliseconds (at most 2^31-1). Returns a function that cancels it. */
  after(ms: number, run: () => void): () => void
}

/** The source of chance: [0, 1). */
export type Chance = () => number
