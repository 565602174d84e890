/** Dialogues in Redis, for several daemons; with a sealer the numbers are hidden and the records encrypted. */
import { createDialogues, type DialogueLimits, type DialogueStore, type StoreFault } from '../../dialogue/index.ts'
import { silentLog, type Log } from '../../base/index.ts'
import { dialogueRegister } from '../dialogues.ts'
import type { Sealer } from '../seal.ts'
import { connect, disconnect } from './connection.ts'
import { redisRegister } from './register.ts'
import type { Client, RedisServers } from './servers.ts'

export type RedisDialoguesOptions = {
  /** Of all keys; daemons that serve the same dialogues have the same. Default 'ussd'. */
  prefix?: string
  limits: DialogueLimits
  log?: Log
  onFault?: (fault: StoreFault) => void
  /** Default: everything is stored as it is. */
  sealer?: Sealer
} & (
  | { servers: RedisServers; client?: undefined }
  /** Yours: made with REDIS_OPTIONS (a Cluster: as its redisOptions), listened to for errors and closed by you. */
  | { client: Client; servers?: undefined }
)

/** Of the keys of dialogues. Those of builds before the first release were `d` and `due`. */
const DIALOGUES = { letter: 'u', index: 'deadlines' } as const

/** Resolves also while Redis is away: calls reject with StoreError 'down' until it is there; `check` tells. */
export async function redisDialogues(options: RedisDialoguesOptions): Promise<DialogueStore> {
  const { prefix = 'ussd', limits, log = silentLog, onFault, sealer } = options
  const client = options.client ?? (await connect(options.servers, log))
  const register = redisRegister({ client, prefix, kind: DIALOGUES, onFault })
  const dialogues = createDialogues({
    register: dialogueRegister({ register, limits, sealer, onFault, log }),
    limits,
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
