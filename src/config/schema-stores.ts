/** Settings of the stores: where Redis and Postgres are, for each way of running them. */
import { z } from 'zod'
import { secretSettings } from '../base/settings/index.ts'

const password = z.string().register(secretSettings, { sure: true })

export const tls = z.strictObject({
  ca: z.string().optional().describe('PEM file of the certificate authority to trust; absent: those of the system'),
  cert: z.string().optional().describe('PEM file of our client certificate'),
  key: z.string().optional().describe('PEM file of its key'),
  servername: z.string().optional().describe('name to expect in the certificate; absent: the host'),
})

const redisUrl = z
  .string()
  .regex(/^rediss?:\/\/[^/?]*(\/\d{0,4})?(\?.*)?$/, 'redis://host:port/db or rediss://…; db is a number')

const sentinel = z.strictObject({
  name: z.string().min(1).max(64).describe('name of the master, as the sentinels know it (`sentinel monitor NAME …`)'),
  nodes: z
    .array(z.string().regex(/^(\[[\da-fA-F:]+\]|[^:\s/]+):\d{1,5}$/, 'host:port, such as sentinel-1:26379'))
    .min(1)
    .max(16)
    .describe('all sentinels; we use the first that answers'),
  password: password.optional().describe('password of the sentinels; better use passwordFile'),
  passwordFile: z.string().optional().describe('file with the password of the sentinels'),
})

const WHERE = 'needs one of url, cluster, sentinel'

export const redis = z.union(
  [
    z.literal('embedded'),
    z
      .strictObject({
        url: redisUrl.optional().describe('one server'),
        cluster: z
          .array(redisUrl)
          .min(1)
          .max(64)
          .optional()
          .describe('some nodes of a Redis Cluster: they name the others'),
        sentinel: sentinel.optional().describe('one master and its replicas, watched by sentinels'),
        username: z
          .string()
          .min(1)
          .max(64)
          .optional()
          .describe('user of an ACL; only with sentinels, since they have no url to name it'),
        password: password.optional().describe('password of the servers behind sentinels; better use passwordFile'),
        passwordFile: z.string().optional().describe('file with the password of the servers, in place of one in a url'),
        db: z
          .number()
          .int()
          .min(0)
          .max(15)
          .optional()
          .describe('database number behind sentinels; a url has its own, and a Cluster has only 0'),
        tls: tls
          .optional()
          .describe('use TLS, also to the sentinels; a rediss:// url alone trusts the authorities of the system'),
        prefix: z
          .string()
          .regex(/^[\w:-]{1,32}$/)
          .default('ussd')
          .describe('prefix of all keys'),
        requireDurable: z
          .boolean()
          .default(false)
          .describe('true: refuse to start unless Redis has appendonly on and evicts nothing'),
      })
      .refine((it) => [it.url, it.cluster, it.sentinel].filter((one) => one !== undefined).length === 1, {
        error: WHERE,
      })
      .refine((it) => it.sentinel !== undefined || (it.username ?? it.password ?? it.db) === undefined, {
        error:
          'username, password and db work only with sentinel: write them into the url, as in redis://user@host:6379/0',
      })
      .refine((it) => !it.cluster?.some((url) => /^rediss?:\/\/[^/]*\/[1-9]/.test(url)), {
        error: 'a Redis Cluster has only database 0',
      }),
  ],
  { error: 'must be "embedded" or { url: "redis://host:6379/0" }' },
)

export const postgres = z.union(
  [
    z.literal('embedded'),
    z.strictObject({
      url: z.string().regex(/^postgres(ql)?:\/\//, 'postgres://user@host:5432/database'),
      passwordFile: z
        .string()
        .optional()
        .describe('file with the password, in place of one in the url; read again for each new connection'),
      tls: tls.optional().describe('use TLS, and refuse a server that does not'),
      poolMax: z
        .number()
        .int()
        .min(1)
        .max(100)
        .default(10)
        .describe('connections; four for each core of the server are plenty'),
      pooler: z
        .literal('transaction')
        .optional()
        .describe(
          'a pooler such as PgBouncer in transaction mode stands between: statements have no names, and the role has ' +
            'the time limits (docs/OPERATIONS.md, Postgres)',
        ),
      migrate: z.boolean().default(true).describe('false: `run` does not migrate an old schema, it refuses to start'),
    }),
  ],
  { error: 'must be "embedded" or { url: "postgres://user@host:5432/database" }' },
)

export type RedisSettings = Exclude<z.infer<typeof redis>, 'embedded'>
