/**
 * The back end of the market flow: fifty goods at twenty markets, one table of a thousand prices in the daemon's Postgres, and
 * one of what each subscriber looked at. The prices are made up at the first use; whoever knows better writes into the table.
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
const ROWS_AT_ONCE = 100

export function backend({ knex, clock, refuse }) {
  let prepared

  /** The tables, made and filled at the first use. */
  function ready() {
    prepared ??= prepare(knex, clock).catch((error) => {
      prepared = undefined
      throw error
    })
    return prepared
  }

  return {
    operations: {
      goods: async () => {
        await ready()
        const rows = await knex('example_market_price').select('id', 'goods', 'market').orderBy(['goods', 'market'])
        return { rows: rows.map((row) => ({ id: row.id, name: nameOf(row) })) }
      },
      price: async ({ id }, { msisdn }) => {
        await ready()
        const row = Number.isSafeInteger(id) && (await knex('example_market_price').where({ id }).first())
        if (!row) return refuse('gone')
        const least = await knex('example_market_price')
          .where({ goods: row.goods, unit: row.unit })
          .orderBy(['toea', 'market'])
          .first()
        const seen = { msisdn, id, at: new Date(clock.now()) }
        await knex('example_market_seen').insert(seen).onConflict(['msisdn', 'id']).merge()
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
        await ready()
        const rows = await knex('example_market_seen as s')
          .join('example_market_price as p', 'p.id', 's.id')
          .where({ msisdn })
          .orderBy('s.at', 'desc')
          .limit(SEEN_SHOWN)
          .select('p.id', 'goods', 'market')
        return { rows: rows.map((row) => ({ id: row.id, name: nameOf(row) })) }
      },
    },
  }
}

function nameOf({ goods, market }) {
  return `${goods}, ${market}`
}

/** Made up, but always the same: by the places of the goods and of the market. */
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

async function prepare(knex, clock) {
  await knex.raw(`CREATE TABLE IF NOT EXISTS example_market_price (
    id integer PRIMARY KEY, goods text NOT NULL, market text NOT NULL, unit text NOT NULL, toea integer NOT NULL,
    toea_before integer NOT NULL, at timestamptz NOT NULL)`)
  await knex.raw(`CREATE TABLE IF NOT EXISTS example_market_seen (
    msisdn text NOT NULL, id integer NOT NULL REFERENCES example_market_price, at timestamptz NOT NULL, PRIMARY KEY (msisdn, id))`)
  const prices = pricesOf(clock)
  for (let i = 0; i < prices.length; i += ROWS_AT_ONCE) {
    await knex('example_market_price')
      .insert(prices.slice(i, i + ROWS_AT_ONCE))
      .onConflict('id')
      .ignore()
  }
}
