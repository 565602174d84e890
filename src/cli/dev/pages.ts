/** The routes of the page of a designer, behind the guard of all our pages of this machine. */
import type { Hono } from 'hono'
import { z } from 'zod'
import type { Pictures } from '../../flow/pictures/index.ts'
import { recordedText } from '../../flow/talk/index.ts'
import { HANDSET_FILES, pageEvent, pageStream, servePageFiles } from '../../simulator/index.ts'
import type { Answers } from './answers.ts'
import type { FlowEntries } from './entries.ts'
import type { DesignerPhone } from './phone.ts'

interface PageDeps {
  entries: FlowEntries
  phone: DesignerPhone
  answers: Answers
  pictures: Pictures
  view(): object
}

const web = (file: string) => new URL(`web/${file}`, import.meta.url)
const SCRIPT = 'text/javascript; charset=utf-8'

const bodies = {
  dial: z.strictObject({ code: z.string().min(1).max(182) }),
  answer: z.strictObject({ text: z.string().max(1_000) }),
  phone: z.strictObject({
    msisdn: z.string().regex(/^\d{3,15}$/, 'an MSISDN has 3 to 15 digits'),
    language: z.string().max(35).optional(),
  }),
  choose: z.strictObject({ flow: z.string(), operation: z.string(), id: z.string() }),
}

export interface DesignerPages {
  routes(app: Hono): void
  /** Something that the page shows is different. */
  changed(): void
  stop(): void
}

export function designerPages(deps: PageDeps): DesignerPages {
  const stream = pageStream()
  const state = pageEvent('state', deps.view)
  return {
    changed: () => stream.put('state', state),
    stop: () => stream.stop(),
    routes(app) {
      servePageFiles(app, {
        '/': [web('index.html'), 'text/html; charset=utf-8'],
        '/dev.css': [web('dev.css'), 'text/css; charset=utf-8'],
        '/dev.js': [web('dev.js'), SCRIPT],
        '/picture.js': [web('picture.js'), SCRIPT],
        ...HANDSET_FILES,
      })
      app.get('/api/events', (c) => stream.serve(c, state))
      looks(app, deps)
      keys(app, deps, () => stream.put('state', state))
    },
  }
}

function looks(app: Hono, { entries, phone, pictures, view }: PageDeps): void {
  app.get('/api/state', (c) => c.json(view()))
  app.get('/api/flows/:name/picture', async (c) => {
    const name = c.req.param('name')
    const compilation = entries.get(name)?.compilation
    if (!compilation) return c.json({ error: 'there is no such flow, or it has errors' }, 404)
    const { definition, flow } = compilation
    const svg = await pictures.of({ definition, revision: flow.revision })
    const why = `the picture takes too long: ussd-connector flow draw ${name}.yaml --svg ${name}.svg draws it into a file`
    return svg === undefined ? c.json({ error: why }, 503) : c.body(svg, 200, { 'Content-Type': 'image/svg+xml' })
  })
  app.get('/api/talk', (c) => {
    const talk = phone.talk()
    return talk ? c.text(recordedText(talk)) : c.json({ error: 'nothing was dialled yet' }, 404)
  })
}

/** What is pressed. The answer is the state after it. */
function keys(app: Hono, { entries, phone, answers, view }: PageDeps, changed: () => void): void {
  app.post('/api/dial', async (c) => {
    await phone.dial(bodies.dial.parse(await c.req.json()).code)
    return c.json(view())
  })
  app.post('/api/answer', async (c) => {
    await phone.answer(bodies.answer.parse(await c.req.json()).text)
    return c.json(view())
  })
  app.post('/api/hang-up', (c) => (phone.hangUp('hang-up'), c.json(view())))
  app.post('/api/lose', (c) => (phone.hangUp('lost'), c.json(view())))
  // A notice is acknowledged, and the dialogue goes on; a last screen is put away.
  app.post('/api/dismiss', async (c) => {
    if (phone.dialogue?.want.do === 'notify') await phone.answer('')
    else phone.dismiss()
    return c.json(view())
  })
  app.post('/api/phone', async (c) => {
    const { msisdn, language } = bodies.phone.parse(await c.req.json())
    phone.use(msisdn, language)
    return c.json(view())
  })
  app.post('/api/choose', async (c) => {
    const { flow, operation, id } = bodies.choose.parse(await c.req.json())
    const compilation = entries.get(flow)?.compilation
    if (!compilation || !answers.choose(flow, compilation, operation, id))
      return c.json({ error: `${operation} has no such answer` }, 404)
    changed()
    return c.json(view())
  })
}
