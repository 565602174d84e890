/** Settings of the stores: where Redis and Postgres are, in each of the ways that they are run. */
import { z } from 'zod'

export const tls = z.strictObject({
  ca: z.string().optional().describe("PEM file of the certificate authority to trust; the system's when absent"),
  cert: z.string().optional().describe('PEM file of our client certificate'),
  key: z.string().optional().describe('PEM file of its key'),
  servername: z.string().optional().describe('name to expect in the certificate; the host when absent'),
})

const redisUrl = z
  .string()
  .regex(/^rediss?:\/\/[^/?]*(\/\d{0,4})?(\?.*)?$/, 'redis://host:port/db or rediss://…; db is a number')

const sentinel = z.strictObject({
  name: z.string().min(1).max(64).describe('of the master, as the sentinels know it (`sentinel monitor NAME …`)'),
  nodes: z
    .array(z.string().regex(/^(\[[\da-fA-F:]+\]|[^:\s/]+):\d{1,5}$/, 'host:port, such as sentinel-1:26379'))
    .min(1)
    .max(16)
    .describe('the sentinels: all of them, the first that answers is asked'),
  password: z.string().optional().describe("the sentinels' own password; better passwordFile"),
  passwordFile: z.string().optional().describe("file that holds the sentinels' own password"),
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
          .describe('nodes of a Redis Cluster: the others are learnt from them'),
        sentinel: sentinel.optional().describe('one master and its replicas, watched by sentinels'),
        username: z
          .string()
          .min(1)
          .max(64)
          .optional()
          .describe('of an ACL; behind sentinels, where no url can name it'),
        password: z.string().optional().describe('of the servers behind sentinels; better passwordFile'),
        passwordFile: z
          .string()
          .optional()
          .describe('file that holds the password of the servers: in place of one in a url'),
        db: z
          .number()
          .int()
          .min(0)
          .max(15)
          .optional()
          .describe('database number behind sentinels; a url names its own, a Cluster has only 0'),
        tls: tls
          .optional()
          .describe('speak TLS, also to the sentinels; a rediss:// url alone trusts what the system trusts'),
        prefix: z
          .string()
          .regex(/^[\w:-]{1,32}$/)
          .default('ussd')
          .describe('of all keys'),
        requireDurable: z
          .boolean()
          .default(false)
          .describe('true: refuse to serve unless appendonly is on and nothing is evicted'),
      })
      .refine((it) => [it.url, it.cluster, it.sentinel].filter((one) => one !== undefined).length === 1, {
        error: WHERE,
      })
      .refine((it) => it.sentinel !== undefined || (it.username ?? it.password ?? it.db) === undefined, {
        error: 'username, password and db are for sentinel: a url has its own, as in redis://user@host:6379/0',
      })
      .refine((it) => !it.cluster?.some((url) => /^rediss?:\/\/[^/]*\/[1-9]/.test(url)), {
        error: 'a Redis Cluster has only database 0',
      }),
  ],
  { error: 'redis is "embedded" or { url: "redis://host:6379/0" }' },
)

export const postgres = z.union(
  [
    z.literal('embedded'),
    z.strictObject({
      url: z.string().regex(/^postgres(ql)?:\/\//, 'postgres://user@host:5432/database'),
      passwordFile: z
        .string()
        .optional()
        .describe('file that holds the password: in place of one in the url, and read again for each new connection'),
      tls: tls.optional().describe('speak TLS, and refuse a server that does not'),
      poolMax: z
        .number()
        .int()
        .min(1)
        .max(100)
        .default(10)
        .describe('connections; four a core of the server is plenty'),
      migrate: z.boolean().default(true).describe('false: `run` refuses an old schema instead of migrating it'),
    }),
  ],
  { error: 'postgres is "embedded" or { url: "postgres://user@host:5432/database" }' },
)

export type RedisSettings = Exclude<z.infer<typeof redis>, 'embedded'>
