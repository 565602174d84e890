/** A flow as Mermaid text. Common tools draw it without any program of ours. */
import { chartOf } from './chart.ts'
import type { FlowDefinition } from '../language/index.ts'

/** `stateDiagram-v2`: screens are states; ways are arrows with what is pressed, answered or refused. */
export function drawFlow(definition: FlowDefinition): string {
  const { start, states, ways } = chartOf(definition)
  const lines = ['stateDiagram-v2', `  [*] --> ${idOf(start)}`]
  for (const { name, caption, final } of states) {
    lines.push(`  state "${plain(`${name}: ${caption}`)}" as ${idOf(name)}`)
    for (const { to, label } of ways.filter((way) => way.from === name)) {
      lines.push(`  ${idOf(name)} --> ${idOf(to)}${label && ` : ${plain(label)}`}`)
    }
    if (final) lines.push(`  ${idOf(name)} --> [*]`)
  }
  return `${lines.join('\n')}\n`
}

/** Mermaid has no escapes, so its special characters become similar ones. */
function plain(text: string): string {
  const safe = text.replaceAll('"', "'").replaceAll(':', ' -').replaceAll(';', ',').replace(/[{}#]/g, '')
  return safe.length > 60 ? `${safe.slice(0, 57)}...` : safe
}

/** Some names are keywords of Mermaid (`end`). */
function idOf(name: string): string {
  return `s_${name.replaceAll('_', '__').replaceAll('-', '_')}`
}
