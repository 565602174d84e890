/** A text that is longer than one screen, as a dialogue that leafs through it. */
import { appFlow, closing, type CompiledFlow } from '../flow/engine/index.ts'
import type { DialogueRecord } from '../dialogue/index.ts'
import type { PageLimit } from '../ussd/index.ts'
import type { PlayedScreen } from './opening.ts'

/** Its name is in no settings: no application's begins with an underscore. */
export function textFlow(): CompiledFlow {
  return appFlow('_text', 'text')
}

/** The first page of a text that has several; the rest is in the snapshot. */
export function firstPage(
  flow: CompiledFlow,
  text: string,
  record: DialogueRecord,
  how: { language: string; page: PageLimit },
): PlayedScreen {
  const { key, code, line } = record
  const snapshot = closing(flow.begin({ msisdn: key.msisdn, code, line, dialled: [], ...how }), text)
  const want = flow.want(snapshot)
  const shown = want.do === 'call' ? text : want.text
  return {
    flow: flow.name,
    revision: flow.revision,
    snapshot,
    ended: null,
    reply: { action: 'continue', text: shown },
  }
}
