/**
 * How the SMSC of each line writes message ids in receipts. Some write an id in hexadecimal in the response and in
 * decimal in the receipt, or the other way round. Where the profile does not say it, receipts show it: a form holds
 * when FORM_RECEIPTS receipts in a row can only be of that form, and none shows the present one meanwhile. What holds
 * is in the database, so all daemons know it, and a restart forgets nothing.
 */
import { monotonicClock, statement, type SqlRunner } from '../../base/index.ts'
import { AS_IS, asAnswered, ID_FORMS, type IdForm, messageKey } from './message-id.ts'
import type { ReceiptDeps } from './deps.ts'

/** Two could be chance where ids are short; nobody sends hundreds of SMS before looking at the receipts. */
const FORM_RECEIPTS = 5
/** How often what other daemons found out is read, and how often at most a confirmation is written. */
const EVERY_MS = 60_000

interface FormRow {
  line: string
  form: IdForm
}

const FORMS = statement<FormRow>('receipt-forms', `SELECT line, form FROM sms_id_form`)

/** A confirmation is written once a minute at most, so one in the minute before the first receipt counts, too. */
const STEADY = `(f.candidate = CAST(:form AS text)
    AND (f.confirmed_at IS NULL OR f.confirmed_at < f.since - interval '1 minute'))`
const HOLDS = `(f.form = CAST(:form AS text) OR ${STEADY} AND f.seen + 1 >= ${FORM_RECEIPTS})`

/** One more receipt can only be of `:form`. Tells which form holds now. */
const SHOWN = statement<FormRow>(
  'receipt-form-shown',
  `
  INSERT INTO sms_id_form AS f (line, candidate, seen, since)
  VALUES (CAST(:line AS text), CAST(:form AS text), 1, CAST(:now AS timestamptz))
  ON CONFLICT (line) DO UPDATE SET
    form = CASE WHEN ${HOLDS} THEN CAST(:form AS text) ELSE f.form END,
    candidate = CASE WHEN ${HOLDS} THEN NULL ELSE CAST(:form AS text) END,
    seen = CASE WHEN ${HOLDS} THEN 0 WHEN ${STEADY} THEN f.seen + 1 ELSE 1 END,
    since = CASE WHEN ${HOLDS} THEN NULL WHEN ${STEADY} THEN f.since ELSE CAST(:now AS timestamptz) END,
    confirmed_at = CASE WHEN ${HOLDS} THEN NULL ELSE f.confirmed_at END
  RETURNING line, form`,
)

const CONFIRM = statement(
  'receipt-form-confirm',
  `
  INSERT INTO sms_id_form AS f (line, form, confirmed_at)
  VALUES (CAST(:line AS text), CAST(:form AS text), CAST(:now AS timestamptz))
  ON CONFLICT (line) DO UPDATE SET confirmed_at = CAST(:now AS timestamptz) WHERE f.form = CAST(:form AS text)`,
)

type IdFormsDeps = Pick<ReceiptDeps, 'sql' | 'clock' | 'log' | 'messageIds'>

export class IdForms {
  readonly #deps: IdFormsDeps
  readonly #now: () => number
  readonly #forms = new Map<string, IdForm>()
  /** When each line's form was last confirmed by this daemon. */
  readonly #confirmed = new Map<string, number>()
  /** Lines whose form is new here: receipts that were kept may be of SMS after all. */
  readonly #changed = new Set<string>()
  #readAt = -Infinity
  #reading: Promise<void> | undefined

  constructor(deps: IdFormsDeps) {
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
  }

  /** What other daemons found out is read once a minute. */
  isFresh(): boolean {
    return this.#now() < this.#readAt + EVERY_MS
  }

  /** Once for all who ask at the same time. Rejects if Postgres is unreachable. */
  read(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)))
  }

  async #read(): Promise<void> {
    for (const { line, form } of await FORMS(this.#deps.sql, {})) this.adopt(line, form)
    this.#readAt = this.#now()
  }

  /** The id of a receipt as its response wrote it, if it is of the form that holds. Null: it identifies nothing. */
  keyOf(line: string, id: string): string | null {
    const { messageIds } = this.#deps
    const bases = messageIds ? messageIds(line) : AS_IS
    if (!bases || id === '') return null
    if (!this.#isOpen(line)) return messageKey(id, bases.receipt)
    return asAnswered(id, this.#formOf(line)) ?? messageKey(id, 'as-is')
  }

  /** The same id, were it of another form than the one that holds. Empty: the id, or the profile, leaves no doubt. */
  others(line: string, id: string): { form: IdForm; key: string }[] {
    if (!this.#isOpen(line) || id === '') return []
    const known = this.keyOf(line, id)
    return ID_FORMS.flatMap((form) => {
      const key = asAnswered(id, form)
      return form === this.#formOf(line) || key === undefined || key === known ? [] : [{ form, key }]
    })
  }

  /** A receipt with this id settled an SMS: whether that says that the form is right, and is to be written down. */
  confirms(line: string, id: string): boolean {
    if (this.#now() < (this.#confirmed.get(line) ?? -Infinity) + EVERY_MS) return false
    return asAnswered(id, this.#formOf(line)) !== undefined && this.others(line, id).length > 0
  }

  /** Rejects if Postgres is unreachable. */
  async confirm(line: string): Promise<void> {
    this.#confirmed.set(line, this.#now())
    await CONFIRM(this.#deps.sql, { line, form: this.#formOf(line), now: new Date(this.#deps.clock.now()) })
  }

  /** A receipt can only be of this form. Resolves with the form that holds now: `adopt` it once that is committed. */
  async shown(trx: SqlRunner, line: string, form: IdForm): Promise<IdForm> {
    const [row] = await SHOWN(trx, { line, form, now: new Date(this.#deps.clock.now()) })
    return row!.form
  }

  adopt(line: string, form: IdForm): void {
    if (form === this.#formOf(line)) return
    this.#forms.set(line, form)
    this.#changed.add(line)
    this.#deps.log.info({ line, form }, 'the form of message ids in receipts is known')
  }

  /** The lines whose form is new here since the last time. */
  takeChanged(): string[] {
    const lines = [...this.#changed]
    this.#changed.clear()
    return lines
  }

  #formOf(line: string): IdForm {
    return this.#forms.get(line) ?? 'same'
  }

  /** The profile says nothing of how ids are written. */
  #isOpen(line: string): boolean {
    const { messageIds } = this.#deps
    const bases = messageIds ? messageIds(line) : AS_IS
    return bases?.response === 'as-is' && bases.receipt === 'as-is'
  }
}
