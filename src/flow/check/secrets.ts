/** Checks that a secret answer goes only where it may: into a call before the next question, and nowhere else. */
import { readsByScreen } from './paths.ts'
import type { Complain } from './check.ts'
import { isSeen, keptAt, secretsOf, targetsOf, type FlowDefinition, type InputScreen } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'

export function checkSecrets({ definition, at }: ReadFlow, complain: Complain): void {
  const secrets = secretsOf(definition)
  if (secrets.size === 0) return
  for (const { screen, place, path } of readsByScreen(definition)) {
    if (!secrets.has(path)) continue
    // A check reads what was just typed. An older secret is already deleted by then.
    const isOwn = place[2] === 'checks' && ownAnswer(definition, screen) === path
    const say = (what: string, remedy: string) =>
      complain('error', { where: at(place), what: `screen '${screen}' ${what} '${path}', which is secret`, remedy })
    if (!isOwn && place[2] !== 'with') say('reads', 'only the with: of a call may read it')
    else if (!isOwn && !alwaysFresh(definition, screen, path))
      say('may be reached without a fresh', 'the next question deletes a secret: make the call right after the input')
  }
  for (const [name, screen] of Object.entries(definition.screens)) {
    const answer = keptAt(name, screen)
    if (answer === undefined) continue
    const secret = 'secret' in screen && screen.secret
    if (secret) checkRead(name, answer, { definition, at }, complain)
    if (secret || !secrets.has(answer)) continue
    const what = `screen '${name}' and a secret input both write ${answer}`
    complain('error', { where: at(['screens', name]), what, remedy: 'give this screen another as:' })
  }
}

/** A PIN that no call checks keeps nobody out. */
function checkRead(
  name: string,
  path: string,
  { definition, at }: Pick<ReadFlow, 'definition' | 'at'>,
  complain: Complain,
): void {
  const readers = readsByScreen(definition).filter((read) => read.path === path)
  const { to } = definition.screens[name] as InputScreen
  if (
    readers.some(({ screen, place }) =>
      place[2] === 'checks' ? screen === name : leadsSilently(definition, to, screen),
    )
  )
    return
  const what = `screen '${name}' asks for a secret, but no call after it checks it: any answer is accepted`
  complain('warning', {
    where: at(['screens', name]),
    what,
    remedy: `lead to a call with: { pin: '{${path}}' } that verifies it`,
  })
}

function ownAnswer({ screens }: FlowDefinition, name: string): string | undefined {
  const screen = screens[name]
  return screen && keptAt(name, screen)
}

/** Whether every way from a question to this call begins at an input of this secret. */
function alwaysFresh(definition: FlowDefinition, call: string, path: string): boolean {
  const starts = Object.entries(definition.screens).filter(([, screen]) => isSeen(screen))
  const stale = starts.flatMap(([name, screen]) => {
    const asked = 'secret' in screen && screen.secret && keptAt(name, screen) === path
    return targetsOf(screen)
      .filter((way) => !(asked && way.path[0] === 'to'))
      .map(({ to }) => to)
  })
  return ![definition.start, ...stale].some((name) => leadsSilently(definition, name, call))
}

function leadsSilently(definition: FlowDefinition, from: string, call: string): boolean {
  const seen = new Set<string>()
  const next = [from]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const screen = definition.screens[name]
    if (!screen || seen.has(name) || isSeen(screen)) continue
    if (name === call) return true
    seen.add(name)
    next.push(...targetsOf(screen).map(({ to }) => to))
  }
  return false
}
