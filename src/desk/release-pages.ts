/** The pages of flows and their revisions, and what may be decided about them. */
import type { Context, Hono } from 'hono'
import type { FlowChange } from '../admin/index.ts'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import { diffBody, html, pageAsked, pagedRows, releaseBody, releasesBody, ROWS_SHOWN } from './pages/index.ts'
import { formOf, type Entered } from './way-in.ts'

const HISTORY_MS = 90 * 86_400_000
const NAME = /^[a-z][a-z0-9-]{0,63}$/
const REVISION = /^[a-z][a-z0-9-]{0,63}@[0-9a-f]{12}$/
/** Longer differences are read with `ussd-connector flow diff`. */
const DIFF_LINES_MAX = 2_000
/** Two large files that have little in common take seconds to compare: the daemon has other work. */
const DIFF_MS_MAX = 40

type Ctx = Context<Entered>

export function releasePages(app: Hono<Entered>, parts: DeskParts): void {
  const { flows, flowEvents, framed, show } = parts

  async function historyOf(c: Ctx, flow: string | null, path: string) {
    const asked = pageAsked((name) => c.req.query(name), framed(c).nowMs, HISTORY_MS)
    const rows = await flowEvents.within({ flow, ...asked, most: ROWS_SHOWN + 1 })
    return pagedRows(path, asked, rows, (row) => row)
  }

  app.get('/releases', async (c) => {
    const now = framed(c)
    const history = await historyOf(c, null, '/desk/releases')
    const body = releasesBody({ ...now, flows: flows.flows(), history })
    return show(c, { title: now.words.nav.releases, nav: 'releases', body })
  })
  app.get('/releases/:name', async (c) => {
    const name = c.req.param('name')
    if (!NAME.test(name)) return c.notFound()
    const now = framed(c)
    const [history, kept] = await Promise.all([historyOf(c, name, `/desk/releases/${name}`), flows.kept(name)])
    const flow = flows.flows().find((one) => one.name === name)
    if (!flow && kept.length === 0 && history.rows.length === 0) return c.notFound()
    const body = releaseBody({ ...now, name, flow, kept, history })
    return show(c, { title: `${now.words.releases.flow} ${name}`, nav: 'releases', body })
  })
  app.get('/releases/:name/diff', async (c) => {
    const { name } = c.req.param()
    const [from = '', to = ''] = [c.req.query('from'), c.req.query('to')]
    if (!REVISION.test(from) || !REVISION.test(to)) return c.notFound()
    const [one, other] = await Promise.all([flows.source(name, from), flows.source(name, to)])
    if (!one || !other) return c.notFound()
    const lines = await linesThatDiffer({ text: one.text, name: from }, { text: other.text, name: to })
    const body = diffBody({ ...framed(c), name, from, to, lines: lines ?? [c.get('words').releases.diffTooLong] })
    return show(c, { title: `${c.get('words').releases.diff} ${name}`, nav: 'releases', body })
  })
  app.post('/releases/:name/:what{rollback|canary-end|canary|recall}', (c) => decide(c, parts))
}

/** None: they are the same. Undefined: it takes too long. */
async function linesThatDiffer(
  from: { name: string; text: string },
  to: { name: string; text: string },
): Promise<string[] | undefined> {
  if (from.text === to.text) return []
  // Loaded for the first that is asked for.
  const { createTwoFilesPatch } = await import('diff')
  const bounds = { timeout: DIFF_MS_MAX }
  const patch = createTwoFilesPatch(from.name, to.name, from.text, to.text, undefined, undefined, bounds)
  return patch?.split('\n').slice(2, DIFF_LINES_MAX)
}

async function decide(c: Ctx, parts: DeskParts): Promise<Response> {
  const { name, what } = c.req.param() as { name: string; what: 'rollback' | 'canary' | 'canary-end' | 'recall' }
  const form = await formOf(c)
  const refused = parts.refusal(c, 'publish', form)
  if (refused) return refused
  const { revision = '', share: written = '' } = form
  const back = `/desk/releases/${name}`
  const { act } = c.get('words')
  const share = Number(written)
  const isGood = NAME.test(name) && (what === 'canary-end' || REVISION.test(revision))
  if (!isGood || (what === 'canary' && !(share > 0 && share <= 100))) return troublePage(c, 409, act.failed, back)
  const by = { by: c.get('visitor').name, note: parts.withoutNumbers(form.note ?? '') }
  const decisions: Record<typeof what, () => Promise<FlowChange>> = {
    rollback: () => parts.flows.rollBack(name, revision, by),
    canary: () => parts.flows.tryOut(name, { revision, share }, by),
    'canary-end': () => parts.flows.tryOut(name, null, by),
    recall: () => parts.flows.recall(name, revision, {}, by),
  }
  const done = await decisions[what]()
  const asked = { flow: name, revision: revision === '' ? null : revision, note: by.note }
  if ('refused' in done) {
    parts.audit(c, `flow ${what} refused`, { ...asked, status: done.refused, why: done.error })
    const problems = html`${act.failed} ${done.error}
      <ul>
        ${(done.problems ?? []).map((problem) => html`<li>${problem}</li>`)}
      </ul>`
    return troublePage(c, 409, problems, back)
  }
  parts.audit(c, `flow ${what}`, { ...asked, before: done.before, after: done.after })
  return c.redirect(back, 303)
}
