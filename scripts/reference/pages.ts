/** The generated pages, by file. */
import { openApiDocument, postmanCollection } from '../../src/admin/api/index.ts'
import { contractSourcesPage } from './contract-sources.ts'
import { glossaryPage } from './glossary.ts'
import { logEventsPage } from './log-events.ts'
import { metricsPage } from './metrics.ts'
import { settingsPage } from './settings.ts'
import { statusesPage } from './statuses.ts'

export async function referencePages(): Promise<Record<string, string>> {
  return {
    'docs/GLOSSARY.md': glossaryPage(),
    'docs/reference/CONTRACT-SOURCES.md': contractSourcesPage(),
    'docs/reference/LOG-EVENTS.md': logEventsPage(),
    'docs/reference/METRICS.md': await metricsPage(),
    'docs/reference/SETTINGS.md': settingsPage(),
    'docs/reference/STATUSES.md': statusesPage(),
    'schema/openapi.json': asJson(openApiDocument()),
    'schema/postman.json': asJson(postmanCollection(openApiDocument())),
  }
}

function asJson(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
