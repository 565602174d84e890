/** Dialogues in Redis, for several daemons. With a sealer, numbers are hidden and records encrypted. */
import { createDialogues, type DialogueLimits, type DialogueStore, type StoreFault } from '../../dialogue/index.ts'
import { silentLog, type Log } from '../../base/index.ts'
import { dialogueRegister, type RecordingKept } from '../dialogues.ts'
import { recalling } from '../last-written.ts'
import type { RecordForm } from '../record.ts'
import type { Sealer } from '../seal.ts'
import { connect, disconnect } from './connection.ts'
import { redisRegister } from './register.ts'
import type { Client, RedisServers } from './servers.ts'

export type RedisDialoguesOptions = {
  /** The prefix of all keys. Daemons that serve the same dialogues have the same. Default 'ussd'. */
  prefix?: string
  limits: DialogueLimits
  log?: Log
  onFault?: (fault: StoreFault) => void
  /** A message met a dialogue that another daemon had taken further than this one knew. */
  onOutdated?: () => void
  /** Default: everything is stored unencrypted. */
  sealer?: Sealer
  /** The newest form of a record that all daemons beside this one read. Default: the newest. */
  recordForm?: (() => RecordForm) | undefined
  /** Absent: no call detail records are kept. */
  recording?: RecordingKept | undefined
} & (
  | { servers: RedisServers; client?: undefined }
  /**
   * The caller's client: created with REDIS_OPTIONS (a Cluster: as its redisOptions). The caller listens for errors and
   * closes it.
   */
  | { client: Client; servers?: undefined }
)

/** For the keys of dialogues. Builds before the first release used `d` and `due`. */
const DIALOGUES = { letter: 'u', index: 'deadlines' } as const

/**
 * Resolves even while Redis is unreachable: calls reject with StoreError 'down' until it is back, and `check` reports
 * it.
 */
export async function redisDialogues(options: RedisDialoguesOptions): Promise<DialogueStore> {
  const { prefix = 'ussd', limits, log = silentLog, onFault, onOutdated, sealer, recording, recordForm } = options
  const client = options.client ?? (await connect(options.servers, log))
  const register = recalling(redisRegister({ client, prefix, kind: DIALOGUES, records: recording, onFault }), {
    onOutdated,
  })
  const dialogues = createDialogues({
    register: dialogueRegister({ register, limits, sealer, onFault, log, recordForm }),
    limits,
    recording,
  })
  let closed = false
  return {
    ...dialogues,
    async close() {
      await dialogues.close()
      if (closed || options.client) return
      closed = true
      await disconnect(client)
    },
  }
}
