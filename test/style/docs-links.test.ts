import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { root } from './tree.ts'

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const read = (file: string) => readFileSync(file, 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '')

/** The names of a page's headings as GitHub makes them. */
function anchors(file: string): Set<string> {
  const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Links of a page that lead nowhere in this tree. */
function broken(page: string): string[] {
  const links = [...read(join(root, page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path, anchor] = link.split('#') as [string, string?]
    const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
    if (!existsSync(file)) return true
    return anchor !== undefined && file.endsWith('.md') && !anchors(file).has(anchor)
  })
}

describe('the links of the pages', () => {
  for (const page of pages)
    it(`of ${page} lead to a file and a heading that there are`, () => assert.deepEqual(broken(page), []))
})

describe('the files that the pages name', () => {
  /** `src/…` and the like, as people write it in a sentence: without names in capitals, which stand for others. */
  const named = (page: string) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/`((?:src|test|samples|scripts|bench)\/[\w./-]+)`/g)]
      .map(([, path]) => path!)
      .filter((path) => !/[A-Z]{2}/.test(path))

  for (const page of pages.filter((name) => named(name).length > 0))
    it(`of ${page} are there`, () =>
      assert.deepEqual(
        named(page).filter((path) => !existsSync(join(root, path))),
        [],
      ))
})
