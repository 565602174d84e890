/**
 * The back end of the market flow: fifty goods at twenty markets. One table in the daemon's Postgres has their thousand
 * prices, another what each subscriber looked at. The prices are synthetic and created at the first use; write real
 * ones into the table.
 */

const GOODS = [
  'Banana',
  'Betel nut',
  'Breadfruit',
  'Broccoli',
  'Cabbage',
  'Capsicum',
  'Carrot',
  'Cassava',
  'Celery',
  'Chicken',
  'Choko',
  'Cocoa dry',
  'Coconut',
  'Coffee parchment',
  'Copra',
  'Corn',
  'Crab',
  'Cucumber',
  'Eggs',
  'Fish',
  'Garlic',
  'Ginger',
  'Guava',
  'Kaukau',
  'Lemon',
  'Lettuce',
  'Mango',
  'Mustard',
  'Onion',
  'Orange',
  'Pandanus',
  'Papaya',
  'Peanuts',
  'Pineapple',
  'Pitpit',
  'Pork',
  'Potato',
  'Prawns',
  'Pumpkin',
  'Rice',
  'Sago',
  'Spring onion',
  'Sugarcane',
  'Taro',
  'Tomato',
  'Tulip',
  'Vanilla',
  'Watercress',
  'Watermelon',
  'Yam',
]
const MARKETS = [
  'Alotau',
  'Arawa',
  'Banz',
  'Boroko',
  'Buka',
  'Bulolo',
  'Daru',
  'Goroka',
  'Gordons',
  'Kainantu',
  'Kavieng',
  'Kimbe',
  'Kokopo',
  'Kundiawa',
  'Lae',
  'Madang',
  'Mendi',
  'Mount Hagen',
  'Vanimo',
  'Wewak',
]
const UNITS = ['kilo', 'heap', 'bundle']
const SEEN_SHOWN = 10

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend({ sql, clock, refuse, subscriberIn }) {
  return {
    prepare: async () => {
      await sql(`CREATE TABLE IF NOT EXISTS example_market_price (
        id integer PRIMARY KEY, goods text NOT NULL, market text NOT NULL, unit text NOT NULL, toea integer NOT NULL,
        toea_before integer NOT NULL, at timestamptz NOT NULL)`)
      await sql(`CREATE TABLE IF NOT EXISTS example_market_seen (
        msisdn text NOT NULL, id integer NOT NULL REFERENCES example_market_price, at timestamptz NOT NULL,
        PRIMARY KEY (msisdn, id))`)
      await sql(
        `INSERT INTO example_market_price
        SELECT * FROM jsonb_to_recordset(CAST(:prices AS jsonb)) AS price(id integer, goods text, market text,
          unit text, toea integer, toea_before integer, at timestamptz) ON CONFLICT DO NOTHING`,
        { prices: JSON.stringify(pricesOf(clock)) },
      )
    },
    subscriber: subscriberIn([{ table: 'example_market_seen', column: 'msisdn' }]),
    operations: {
      goods: async () => {
        const rows = await sql('SELECT id, goods, market FROM example_market_price ORDER BY goods, market')
        return { rows: rows.map((row) => ({ id: row.id, name: nameOf(row) })) }
      },
      price: async ({ id }, { msisdn }) => {
        const [row] = Number.isSafeInteger(id)
          ? await sql('SELECT * FROM example_market_price WHERE id = :id', { id })
          : []
        if (!row) return refuse('gone')
        const [least] = await sql(
          `SELECT market, toea FROM example_market_price WHERE goods = :goods AND unit = :unit
          ORDER BY toea, market LIMIT 1`,
          { goods: row.goods, unit: row.unit },
        )
        await sql(
          `INSERT INTO example_market_seen (msisdn, id, at) VALUES (:msisdn, :id, :at)
          ON CONFLICT (msisdn, id) DO UPDATE SET at = excluded.at`,
          { msisdn, id, at: new Date(clock.now()) },
        )
        const trend = row.toea > row.toea_before ? 'up' : row.toea < row.toea_before ? 'down' : 'same'
        return {
          name: nameOf(row),
          price: row.toea / 100,
          unit: row.unit,
          at: row.at.toISOString(),
          trend,
          least: least.market,
          lowest: least.toea / 100,
        }
      },
      seen: async (_args, { msisdn }) => {
        const rows = await sql(
          `SELECT p.id, goods, market FROM example_market_seen s JOIN example_market_price p ON p.id = s.id
          WHERE msisdn = :msisdn ORDER BY s.at DESC LIMIT ${SEEN_SHOWN}`,
          { msisdn },
        )
        return { rows: rows.map((row) => ({ id: row.id, name: nameOf(row) })) }
      },
    },
  }
}

function nameOf({ goods, market }) {
  return `${goods}, ${market}`
}

/** Synthetic, but always the same: they depend on the positions of the goods and of the market. */
function pricesOf(clock) {
  return GOODS.flatMap((goods, g) =>
    MARKETS.map((market, m) => ({
      id: g * MARKETS.length + m + 1,
      goods,
      market,
      unit: UNITS[g % UNITS.length],
      toea: 100 + g * 20 + ((g * 7 + m * 13) % 40) * 10,
      toea_before: 100 + g * 20 + ((g * 7 + m * 13 + (m % 3)) % 40) * 10,
      at: new Date(clock.today()),
    })),
  )
}
