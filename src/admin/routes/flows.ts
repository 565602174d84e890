/** The admin routes for flows: the state, and publish, rollback, canary, recall. Each decision is logged. */
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import type { By, FlowChange } from '../flow-service.ts'
import { withoutNumbers } from '../notes.ts'
import { EVENTS_WRONG, eventsAsked, NAME, whyNot, type Admitted, type RouteDeps } from './shared.ts'

const revision = z.string().regex(/^[a-z][a-z0-9-]{0,63}@[0-9a-f]{12}$/, 'e.g. dental@9f2c01ab77de')
const note = z.string().max(200).default('').transform(withoutNumbers)

const share = z.number().min(0).max(100)
const file = z.strictObject({ file: z.string().max(200), text: z.string() })
const files = file.extend({ catalogues: z.array(file).max(50).default([]) })
const language = z.string().regex(/^[a-z]{2,3}$/)

export const flowBodies = {
  publish: z
    .strictObject({
      source: files
        .extend({ parts: z.array(files).max(100).optional(), backends: z.array(file).max(100).optional() })
        .optional(),
      revision: revision.optional(),
      share: share.optional(),
      note,
    })
    .refine((it) => (it.source === undefined) !== (it.revision === undefined), {
      error: 'needs either source or revision',
    }),
  rollback: z.strictObject({ revision: revision.optional(), note }),
  canary: z.strictObject({ revision: revision.nullable(), share: share.default(0), note }),
  recall: z.strictObject({ revision, texts: z.record(language, z.string().min(1).max(182)).default({}), note }),
} as const

export function flowRoutes({ flows: service, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.use('/:name/*', async (c, next) =>
    NAME.test(c.req.param('name')) ? next() : c.json({ error: 'this is not a valid flow name' }, 400),
  )

  lookRoutes(app, service)
  app.post('/:name/publish', (c) =>
    decide(c, 'publish', (name, { source, revision: one, share: part, note: why }) =>
      service.publish(name, source ? { source } : { revision: one! }, {
        ...byOf(c, why),
        ...(part === undefined ? {} : { share: part }),
      }),
    ),
  )
  app.post('/:name/rollback', (c) =>
    decide(c, 'rollback', (name, body) => service.rollBack(name, body.revision ?? null, byOf(c, body.note))),
  )
  app.post('/:name/canary', (c) =>
    decide(c, 'canary', (name, body) =>
      service.tryOut(
        name,
        body.revision === null ? null : { revision: body.revision, share: body.share },
        byOf(c, body.note),
      ),
    ),
  )
  app.post('/:name/recall', (c) =>
    decide(c, 'recall', (name, body) => service.recall(name, body.revision, body.texts, byOf(c, body.note))),
  )

  async function decide<What extends keyof typeof flowBodies>(
    c: Context<Admitted>,
    what: What,
    run: (name: string, body: z.infer<(typeof flowBodies)[What]>) => Promise<FlowChange>,
  ) {
    const name = c.req.param('name')!
    const read = flowBodies[what].safeParse(await c.req.json<unknown>().catch(() => null))
    if (!read.success) {
      return c.json({ error: `wrong body for ${what}: ${whyNot(read.error)}` }, 400)
    }
    const body = read.data as z.infer<(typeof flowBodies)[What]>
    const done = await run(name, body)
    const asked = { flow: name, revision: body.revision ?? null, note: body.note }
    if ('refused' in done) {
      audit(c, `flow ${what} refused`, { ...asked, status: done.refused, why: done.error })
      return c.json({ error: done.error, ...(done.problems ? { problems: done.problems } : {}) }, done.refused)
    }
    audit(c, `flow ${what}`, { ...asked, before: done.before, after: done.after })
    return c.json(done)
  }
  return app
}

/** Routes that only read. */
function lookRoutes(app: Hono<Admitted>, service: RouteDeps['flows']): void {
  app.get('/', (c) => c.json({ flows: service.flows() }))
  app.get('/:name/revisions', async (c) => {
    const rows = await service.revisions(c.req.param('name'))
    return rows ? c.json(rows) : c.json({ error: 'there is no such flow', try: '/v1/flows' }, 404)
  })
  app.get('/:name/history', async (c) => {
    const asked = eventsAsked.safeParse(c.req.query())
    if (!asked.success) return c.json(EVENTS_WRONG, 400)
    const events = await service.history(c.req.param('name'), asked.data.last)
    return events ? c.json({ events }) : c.json({ error: 'there is no such flow', try: '/v1/flows' }, 404)
  })
  app.get('/:name/funnel', async (c) => {
    const asked = revision.optional().safeParse(c.req.query('revision'))
    if (!asked.success) return c.json({ error: `revision: ${asked.error.issues[0]!.message}` }, 400)
    const { since, until } = c.req.query()
    const told = await service.funnel(c.req.param('name'), { revision: asked.data, since, until })
    if (told === null) return c.json({ error: 'there is no such flow', try: '/v1/flows' }, 404)
    return 'refused' in told ? c.json({ error: told.refused }, 400) : c.json(told)
  })
  app.get('/:name/revisions/:revision', async (c) => {
    const source = await service.source(c.req.param('name'), c.req.param('revision'))
    return source ? c.json(source) : c.json({ error: 'there is no such revision' }, 404)
  })
}

function byOf(c: Context<Admitted>, why: string): By {
  return { by: c.get('token')?.name ?? '-', note: why }
}
