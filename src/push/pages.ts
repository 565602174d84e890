/** A text that is longer than one screen, as a dialogue: the subscriber asks for each next page. */
import { appFlow, closing, type CompiledFlow } from '../flow/engine/index.ts'
import type { DialogueRecord } from '../dialogue/index.ts'
import type { PageLimit } from '../ussd/index.ts'
import type { PlayedScreen } from './opening.ts'

/** The name is not in the settings: no application's name begins with an underscore. */
export function textFlow(): CompiledFlow {
  return appFlow('_text', 'text')
}

/** The first page of a text of several pages. The snapshot holds the rest. */
export function firstPage(
  flow: CompiledFlow,
  text: string,
  record: DialogueRecord,
  { keepsTexts, ...how }: { language: string; page: PageLimit; keepsTexts?: boolean | undefined },
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
    ...(keepsTexts ? { step: { backendMs: 0, exact: { typed: null, isSecret: false } } } : {}),
  }
}
