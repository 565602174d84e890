/** Behaviour beyond a single PDU: when requests are answered, and with what. */
import type { Captured } from '../capture/index.ts'
import type { Draft } from './draft.ts'
import { commonest, only } from './group.ts'
import type { PduRecording, Turn } from './recorded.ts'

/** A response that takes this share of the time to the subscriber's answer has waited for that answer. */
const WITHHELD_SHARE = 0.5
/** At least this many message ids are needed for a conclusion. */
const IDS_MIN = 3

/** responses. */
export function learnHabits(recording: PduRecording, draft: Draft): void {
  const index = responsesOf(recording.pdus)
  const turns = recording.dialogues.flatMap((it) => it.turns)
  learnDeliverResp(turns, index, draft)
  learnSubmitResp(recording, index, draft)
  const ids = turns.flatMap((turn) => index.of(turn.reply)?.pdu.body.message_id ?? []).map(String)
  if (ids.length < IDS_MIN) return draft.untold('responses.messageIdUseless', 'too few responses were seen')
  const different = new Set(ids).size
  if (different <= 2 && ids.some((id) => id !== '')) {
    draft.doubtful('responses.messageIdUseless', true, `${ids.length} responses, ${different} different message ids`)
  } else if (ids.some((id) => id !== '')) {
    draft.sure('responses.messageIdUseless', false, `${different} message ids in ${ids.length}`)
  }
}

interface Responses {
  of(request: Captured | undefined): Captured | undefined
  at(it: Captured | undefined): number
}

/** Responses by link, command and sequence number, and the position of each PDU. */
function responsesOf(pdus: readonly Captured[]): Responses {
  const positions = new Map(pdus.map((it, i) => [it, i]))
  const byKey = new Map<string, Captured[]>()
  for (const it of pdus) {
    if (!it.pdu.command.endsWith('_resp')) continue
    const key = [it.link, it.from, it.pdu.command, it.pdu.sequence].join()
    byKey.set(key, [...(byKey.get(key) ?? []), it])
  }
  const at = (it: Captured | undefined) => (it ? (positions.get(it) ?? -1) : -1)
  return {
    at,
    of(request) {
      if (!request) return undefined
      const from = request.from === 'smsc' ? 'esme' : 'smsc'
      const list = byKey.get([request.link, from, `${request.pdu.command}_resp`, request.pdu.sequence].join())
      return list?.find((it) => at(it) > at(request))
    },
  }
}

/** The order of our own responses. It shows what the recorded ESME did; the gateway may not care. */
function learnDeliverResp(turns: readonly Turn[], index: Responses, draft: Draft): void {
  const seen = turns.flatMap(({ deliver, reply }) => {
    const ack = index.at(index.of(deliver))
    if (ack < 0 || !reply) return []
    if (ack < index.at(reply)) return ['immediate']
    const answer = index.at(index.of(reply))
    return [answer >= 0 && answer < ack ? 'after-submit-resp' : 'after-submit']
  })
  const best = commonest(seen)
  if (!best) return draft.untold('responses.deliverResp', 'we sent no response')
  const note = `seen ${best.count} of ${seen.length}`
  if (best.count === seen.length) draft.sure('responses.deliverResp', best.value, note)
  else draft.doubtful('responses.deliverResp', best.value, note)
}

function learnSubmitResp({ dialogues }: PduRecording, index: Responses, draft: Draft): void {
  const waits = dialogues.flatMap(({ turns }) =>
    turns.flatMap(({ reply }, at) => {
      const next = turns[at + 1]?.deliver
      const response = index.of(reply)
      if (!reply || !next || !response) return []
      return [
        index.at(response) > index.at(next) || response.atMs - reply.atMs > (next.atMs - reply.atMs) * WITHHELD_SHARE,
      ]
    }),
  )
  if (waits.length === 0) return draft.untold('responses.submitResp', 'no response to a question was seen')
  const late = waits.filter(Boolean).length
  const value = only(waits)
  const name = late * 2 > waits.length ? 'withheld' : 'prompt'
  const note =
    name === 'withheld'
      ? `${late} of ${waits.length} arrived only with the answer of the subscriber`
      : `${waits.length - late} of ${waits.length} at once`
  if (value === undefined) draft.doubtful('responses.submitResp', name, note)
  else draft.sure('responses.submitResp', name, note)
}
