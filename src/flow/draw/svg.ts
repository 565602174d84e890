/** A flow as a picture: the statechart, laid out from top to bottom, as SVG that is complete in itself. */
import { Graph, layout } from '@dagrejs/dagre'
import { chartOf, type ChartState } from './chart.ts'
import type { Compilation } from '../load/index.ts'
import { escapeMarkup as escape } from './markup.ts'

/** The width of the widest monospace font at 12 px. With it no text is wider than its box. */
const CHARACTER = 7.3
const LINE = 16
const COLUMNS = 30
const CAPTION_LINES = 3
const LABEL_COLUMNS = 24
const MARGIN = 24
const HEAD = 44
/** Where every dialogue begins, and where those that end are drawn to end. */
const START = '(start)'

interface Box {
  x: number
  y: number
  width: number
  height: number
}
interface Arrow {
  points: { x: number; y: number }[]
  x: number
  y: number
  lines: string[]
}

type Drawable = Pick<Compilation, 'definition'> & { flow: Pick<Compilation['flow'], 'revision'> }

/** `bare`: without its style, for a page that has one. */
export function svgOf({ definition, flow }: Drawable, bare = false): string {
  const { start, states, ways } = chartOf(definition)
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'TB', nodesep: 36, ranksep: 46, marginx: MARGIN, marginy: MARGIN })
  graph.setNode(START, { width: 18, height: 18 })
  for (const state of states) graph.setNode(state.name, sizeOf(state))
  for (const [key, labels] of joined([{ from: START, to: start, label: '' }, ...ways])) {
    const [from, to] = key
    const said = labels.length > 1 ? labels.map((label) => label || 'answered') : labels.filter(Boolean)
    const lines = said.map((label) => cut(label, LABEL_COLUMNS))
    const width = Math.max(0, ...lines.map((line) => line.length)) * CHARACTER
    graph.setEdge(from, to, { lines, width, height: lines.length * LINE, labelpos: 'c' }, `${from} ${to}`)
  }
  layout(graph)
  const { width = 0, height = 0 } = graph.graph()
  const boxes = states.map((state) => boxOf(state, graph.node(state.name) as Box))
  const arrows = graph.edges().map((edge: Parameters<typeof graph.edge>[0]) => graph.edge(edge) as unknown as Arrow)
  const dot = graph.node(START) as Box
  const [across, down] = [round(width), round(height + HEAD)]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${across} ${down}" width="${across}" height="${down}">`,
    `<title>${escape(definition.flow)}</title>${bare ? '' : `<style>${STYLE}</style>`}`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
    '<path d="M0 0L8 4L0 8Z"/></marker></defs>',
    '<rect class="paper" width="100%" height="100%"/>',
    `<text class="head" x="${MARGIN}" y="28">${escape(flow.revision)}</text>`,
    `<g transform="translate(0 ${HEAD})">`,
    ...arrows.map(pathOf),
    `<circle class="start" cx="${round(dot.x)}" cy="${round(dot.y)}" r="9"/>`,
    ...boxes,
    // Labels come last, so that no arrow crosses them.
    ...arrows.flatMap(labelsOf),
    '</g></svg>\n',
  ].join('\n')
}

/** Ways between the same two states become one arrow with several labels. */
function joined(ways: readonly { from: string; to: string; label: string }[]): [readonly [string, string], string[]][] {
  const by = new Map<string, [readonly [string, string], string[]]>()
  for (const { from, to, label } of ways) {
    const key = JSON.stringify([from, to])
    const known = by.get(key) ?? [[from, to] as const, []]
    known[1].push(label)
    by.set(key, known)
  }
  return [...by.values()]
}

function linesOf({ name, caption }: ChartState): string[] {
  return [name, ...wrap(caption === name ? '' : caption)]
}

function sizeOf(state: ChartState): { width: number; height: number } {
  const lines = linesOf(state)
  return { width: Math.max(...lines.map((line) => line.length)) * CHARACTER + 22, height: lines.length * LINE + 14 }
}

function boxOf(state: ChartState, { x, y, width, height }: Box): string {
  const [left, top] = [x - width / 2, y - height / 2]
  const texts = linesOf(state).map(
    (line, i) =>
      `<text x="${round(x)}" y="${round(top + 19 + i * LINE)}"${i === 0 ? ' class="name"' : ''}>${escape(line)}</text>`,
  )
  const title = escape(`${state.kind} ${state.name}: ${state.caption}`)
  return (
    `<g class="state ${state.kind}${state.final ? ' final' : ''}" data-screen="${escape(state.name)}"><title>${title}</title>` +
    `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" rx="8"/>${texts.join('')}</g>`
  )
}

function pathOf({ points }: Arrow): string {
  return `<path class="arrow" marker-end="url(#tip)" d="${curve(points)}"/>`
}

/** Labels have a background of their own. */
function labelsOf({ x, y, lines }: Arrow): string[] {
  const down = (i: number) => y + (i - (lines.length - 1) / 2) * LINE + 4
  return lines.map((line, i) => {
    const width = line.length * CHARACTER + 4
    const at = `x="${round(x - width / 2)}" y="${round(down(i) - 12)}"`
    const paper = `<rect class="paper" ${at} width="${round(width)}" height="${LINE}" rx="3"/>`
    return `${paper}<text class="way" x="${round(x)}" y="${round(down(i))}">${escape(line)}</text>`
  })
}

/** A curve through the middles of the segments, with the corners as control points. */
function curve(points: readonly { x: number; y: number }[]): string {
  const at = ({ x, y }: { x: number; y: number }) => `${round(x)} ${round(y)}`
  const middle = (i: number) => ({ x: (points[i]!.x + points[i + 1]!.x) / 2, y: (points[i]!.y + points[i + 1]!.y) / 2 })
  const turns = points
    .slice(1, -1)
    .map((point, i) => `Q${at(point)} ${at(i === points.length - 3 ? points.at(-1)! : middle(i + 1))}`)
  return `M${at(points[0]!)}${turns.length ? turns.join('') : `L${at(points.at(-1)!)}`}`
}

function wrap(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(cut(word, COLUMNS))
  }
  if (lines.length <= CAPTION_LINES) return lines
  return [...lines.slice(0, CAPTION_LINES - 1), cut(`${lines[CAPTION_LINES - 1]} …`, COLUMNS + 2)]
}

function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

const STYLE = `
text { font: 12px ui-monospace, Menlo, Consolas, monospace; text-anchor: middle; fill: #1d2433; }
.head { text-anchor: start; font-size: 15px; font-weight: bold; } .name { font-weight: bold; }
.paper { fill: #fff; } .start { fill: #1d2433; } marker path { fill: #6b7689; }
.arrow { fill: none; stroke: #6b7689; stroke-width: 1.3; } .way { fill: #33507a; }
.state rect { fill: #eef1f6; stroke: #8994a8; stroke-width: 1.2; }
.menu rect, .list rect { fill: #e2eefb; stroke: #4f86c6; } .input rect { fill: #fdf3d8; stroke: #c79a2b; }
.call rect { fill: #e8f5e6; stroke: #5a9a52; } .notify rect { fill: #f1e9fb; stroke: #8a63bd; }
.final rect { fill: #fbe6e4; stroke: #c0554b; stroke-width: 2.4; }`
