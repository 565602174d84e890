/** A flow as a picture: Mermaid text, which needs no program of ours to be drawn. */
import { targetsOf, type FlowDefinition, type ScreenDefinition } from './definition.ts'

/** `stateDiagram-v2`: screens as states, ways as arrows with what is pressed, answered or refused. */
export function drawFlow(definition: FlowDefinition): string {
  const lines = ['stateDiagram-v2', `  [*] --> ${idOf(definition.start)}`]
  for (const [name, screen] of Object.entries(definition.screens)) {
    lines.push(`  state "${plain(`${name}: ${captionOf(screen, definition)}`)}" as ${idOf(name)}`)
    for (const { to, path } of targetsOf(screen)) {
      lines.push(`  ${idOf(name)} --> ${idOf(to)}${label(screen, path, definition)}`)
    }
    if (screen.kind === 'end' || screen.kind === 'exit') lines.push(`  ${idOf(name)} --> [*]`)
  }
  return `${lines.join('\n')}\n`
}

function captionOf(screen: ScreenDefinition, definition: FlowDefinition): string {
  switch (screen.kind) {
    case 'call':
      return `${screen.call}${screen.once ? ' (once)' : ''}`
    case 'branch':
      return 'branch'
    case 'set':
      return `set ${Object.keys(screen.set).join(', ')}`
    case 'exit':
      return 'exit'
    case 'menu':
      return first(screen.menu, definition)
    case 'list':
      return first(screen.list, definition)
    case 'input':
      return first(screen.input, definition)
    case 'notify':
      return first(screen.notify, definition)
    case 'end':
      return first(screen.end, definition)
  }
}

function label(screen: ScreenDefinition, path: (string | number)[], definition: FlowDefinition): string {
  const [key, which] = path
  if (key === 'choices' && 'choices' in screen) {
    return ` : ${plain(first(screen.choices[which as number]?.label ?? '', definition))}`
  }
  if (key === 'branch' && screen.kind === 'branch') {
    const condition = screen.branch[which as number]?.if
    return ` : ${plain(typeof condition === 'string' ? condition : JSON.stringify(condition))}`
  }
  if (key === 'refused') return ` : refused ${String(which)}`
  return key === 'to' ? (screen.kind === 'list' ? ' : a row' : '') : ` : ${String(key)}`
}

function first(text: string | Record<string, string>, definition: FlowDefinition): string {
  const words = typeof text === 'string' ? text : (text[definition.languages[0] as string] ?? '')
  return words.split('\n')[0] as string
}

/** Mermaid has no escapes: its signs become look-alikes. */
function plain(text: string): string {
  const safe = text.replaceAll('"', "'").replaceAll(':', ' -').replaceAll(';', ',').replace(/[{}#]/g, '')
  return safe.length > 60 ? `${safe.slice(0, 57)}...` : safe
}

/** Some names are words of Mermaid (`end`). */
function idOf(name: string): string {
  return `s_${name.replaceAll('-', '_')}`
}
