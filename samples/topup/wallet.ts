/**
 * The sample wallet: balances, and the bundles that a balance can pay for. In memory. Pure except for its own state.
 */

export interface Bundle {
  id: string
  name: string
  /** In kina. */
  price: number
  /** Offered only for a balance of at least this, besides the price. */
  balanceMin?: number | undefined
}

type Subscription = 'prepaid' | 'postpaid'

export type Done = { balance: number } | { refusal: 'insufficient' | 'unknown-bundle' }

export interface Wallet {
  /** What the subscription of this number is. It seldom changes. */
  subscriber(msisdn: string): { plan: Subscription }
  balance(msisdn: string): { amount: number; currency: 'PGK' }
  /** What this subscriber can pay for, the cheapest first. */
  bundles(msisdn: string): { rows: Pick<Bundle, 'id' | 'name' | 'price'>[] }
  topup(msisdn: string, amount: number): Done
  buy(msisdn: string, bundle: string): Done
  /** Replaces the offers at once. */
  offer(bundles: readonly Bundle[]): void
}

/** How many subscribers are kept. The one unseen for longest is dropped and starts again. */
const ACCOUNTS_MAX = 10_000
const OPENING_BALANCE = 10
const OPENING_BALANCES: Record<string, number> = { '67570000001': 25, '67570000002': 4 }

/** Who gets a bill at the end of the month: the balance is then what is owed. */
const POSTPAID: ReadonlySet<string> = new Set(['67570000003'])

const BUNDLES: Bundle[] = [
  { id: 'day', name: 'Day 100MB', price: 3 },
  { id: 'week', name: 'Week 1GB', price: 8 },
  { id: 'month', name: 'Month 5GB', price: 20 },
  // A promotion for subscribers with a higher balance.
  { id: 'bonus', name: 'Bonus 2GB', price: 10, balanceMin: 20 },
]

export function createWallet(): Wallet {
  const accounts = new Map<string, number>()
  let offers: readonly Bundle[] = BUNDLES

  function amountOf(msisdn: string): number {
    const amount = accounts.get(msisdn) ?? OPENING_BALANCES[msisdn] ?? OPENING_BALANCE
    keep(msisdn, amount)
    return amount
  }

  function keep(msisdn: string, amount: number): void {
    accounts.delete(msisdn)
    accounts.set(msisdn, amount)
    if (accounts.size > ACCOUNTS_MAX) accounts.delete(accounts.keys().next().value!)
  }

  function pay(msisdn: string, price: number): Done {
    const amount = amountOf(msisdn)
    if (price > amount) return { refusal: 'insufficient' }
    // In toea, so that no float rounding error shows.
    const balance = Math.round((amount - price) * 100) / 100
    keep(msisdn, balance)
    return { balance }
  }

  return {
    subscriber: (msisdn) => ({ plan: POSTPAID.has(msisdn) ? 'postpaid' : 'prepaid' }),
    balance: (msisdn) => ({ amount: amountOf(msisdn), currency: 'PGK' }),
    bundles(msisdn) {
      const amount = amountOf(msisdn)
      const rows = offers.filter((one) => one.price <= amount && (one.balanceMin ?? 0) <= amount)
      return { rows: rows.toSorted((a, b) => a.price - b.price).map(({ id, name, price }) => ({ id, name, price })) }
    },
    topup: (msisdn, amount) => pay(msisdn, amount),
    buy(msisdn, id) {
      const bundle = offers.find((one) => one.id === id)
      return bundle ? pay(msisdn, bundle.price) : { refusal: 'unknown-bundle' }
    },
    offer(bundles) {
      offers = [...bundles]
    },
  }
}
