/** What serves subscribers besides the gateway: built-in back ends, USSD push, deferred answers, SMS. */
import type { ClockCheck } from '../clock-check.ts'
import { createDaemonDeferred } from './deferred.ts'
import { languageLookup, servicesOf, smsBackend, subscriberBackend, type Backends } from '../backends/index.ts'
import type { Lines } from '../lines/index.ts'
import { createDaemonPush } from './push.ts'
import type { DaemonRecords } from '../records/index.ts'
import { logging, type Runtime } from '../runtime.ts'
import type { Stores } from '../stores/index.ts'
import { wordPlayer } from './word-flows.ts'
import type { Backend } from '../../backend/index.ts'
import type { DeferredAnswers } from '../../deferred/index.ts'
import type { Flows } from '../../flow/release/index.ts'
import type { Overload, Service } from '../../gateway/index.ts'
import type { Push } from '../../push/index.ts'
import { subscriberLanguages } from '../../services/subscriber/index.ts'
import { createSmsSide } from '../../sms/index.ts'
import type { SmsRequests } from '../../sms/requests/index.ts'

export interface DaemonServices {
  /** Service codes, and the flows that they lead to. A reload changes the list itself. */
  services: Service[]
  /** A back end by name: a built-in one, or one of the settings. */
  backend(name: string): Backend | undefined
  chosenLanguage(msisdn: string): Promise<string | null>
  push: Push
  deferred: DeferredAnswers
  sms: ReturnType<typeof createSmsSide>
}

export interface ServicesDeps {
  stores: Stores
  backends: Backends
  flows: Flows
  lines: Lines
  clockCheck: Pick<ClockCheck, 'isKnown' | 'isRight'>
  /** Who may use a line, and how fast: the same count for USSD and SMS. */
  overload: Overload
  /** SMS that flows ask for. */
  requests: SmsRequests
  records: Pick<DaemonRecords, 'told' | 'smsSettled'>
}

/** Starts nothing yet: `deferred.start()` and `sms.start()` do that. */
export function createServices(runtime: Runtime, deps: ServicesDeps): DaemonServices {
  const { stores, backends, flows, lines, clockCheck, overload, requests, records } = deps
  const { settings, clock } = runtime
  const { sql, dialogues, sealer, shelf } = stores
  const services = servicesOf(settings)
  const languages = subscriberLanguages(sql)
  const chosenLanguage = languageLookup({ ...runtime, languages, flows })
  const ours = [subscriberBackend(languages, clock), smsBackend(requests)]
  const own = new Map(ours.map((each) => [each.name, each]))
  const { spans } = runtime
  const backend = (name: string) => {
    const found = own.get(name) ?? backends.get(name)
    return spans && found ? spans.backend(found) : found
  }
  const keepsTexts = settings.support.transcriptDays > 0
  const push = createDaemonPush({
    ...runtime,
    dialogues,
    flows,
    services,
    backend,
    chosenLanguage,
    sql,
    lines,
    isClockRight: () => clockCheck.isRight(),
    keepsTexts,
  })
  const mayRun = () => clockCheck.isKnown()
  const record = records.told
  const deferred = createDaemonDeferred({
    ...runtime,
    dialogues,
    sql,
    sealer,
    flows,
    backend,
    lines,
    push,
    mayRun,
    record,
    keepsTexts,
  })
  const { subjects } = backends
  const sms = createSmsSide({
    ...logging(runtime, 'sms'),
    sql,
    shelf,
    lines,
    push,
    subjects,
    settled: records.smsSettled,
    access: overload,
    mayRun,
    play: wordPlayer(runtime, { flows, backend, chosenLanguage, lines }),
  })
  return { services, backend, chosenLanguage, push, deferred, sms }
}
