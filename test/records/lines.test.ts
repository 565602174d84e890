import assert from 'node:assert/strict'
import { statement } from '../../src/base/sql.ts'
import { columnsOf, fieldsIn, type LineField, sqlLines } from '../../src/records/lines.ts'
import { describeBoth } from '../support/postgres.ts'

const COLUMNS = { word: 'text', maybe: 'text?', at: 'timestamptz', n: 'bigint', file: 'bigint?', day: 'date' }
const READ = statement<Record<string, unknown>>(
  'test-lines',
  `SELECT word, maybe, CAST(extract(epoch FROM at) * 1000 AS bigint) AS at, n, file, CAST(day AS text) AS day
  FROM (SELECT ${columnsOf(COLUMNS)} FROM ${fieldsIn('rows')}) AS r`,
)

describeBoth('rows as lines', (database) => {
  const read = (...rows: LineField[][]) => READ(database.db.sql, { rows: sqlLines(rows) })

  it('come out as they went in, in their order; what has no value is null, or an empty text', async () => {
    assert.deepEqual(
      await read(
        ['a,b;"{\\}"\t\n\'', 'é ☎', 1_764_504_000_123, 2 ** 40, 17, '2026-11-30'],
        ['', null, 0, -1, null, '1970-01-01'],
      ),
      [
        {
          word: 'a,b;"{\\}"\t\n\'',
          maybe: 'é ☎',
          at: '1764504000123',
          n: String(2 ** 40),
          file: '17',
          day: '2026-11-30',
        },
        { word: '', maybe: null, at: '0', n: '-1', file: null, day: '1970-01-01' },
      ],
    )
    assert.deepEqual(await read(), [])
  })

  it('have each millisecond as it was', async () => {
    const all = Array.from({ length: 3_000 }, (_, n) => 1_764_504_000_000 + n * 86_400_123)
    const found = await read(...all.map((ms) => ['', null, ms, 0, null, '2026-11-30']))
    assert.deepEqual(
      found.map(({ at }) => Number(at)),
      all,
    )
  })

  it('lose what Postgres cannot hold, and what would move the fields behind it', async () => {
    const [first, second, ...more] = await read(
      ['a\u001fb\u001ec\u0000d', null, 0, 7, null, '2026-11-30'],
      ['\ud800', null, 0, 8, null, '2026-11-30'],
    )
    assert.deepEqual([first!.word, first!.n, second!.word, second!.n, more], ['a?b?c?d', '7', '\ufffd', '8', []])
  })
})
