// The bench's back end, in the daemon's process: answers at once, so that what is measured is the connector.
const BUNDLES = [
  { id: 'd1', name: 'Daily 200 MB', price: 2 },
  { id: 'd3', name: '3 days 1 GB', price: 6 },
  { id: 'w1', name: 'Weekly 2 GB', price: 12 },
  { id: 'm1', name: 'Monthly 10 GB', price: 45 },
]

export function backend() {
  return {
    operations: {
      account: async () => ({ amount: 50, currency: 'PGK' }),
      bundles: async () => ({ rows: BUNDLES }),
      buy: async ({ bundle }) => ({ balance: 50 - (BUNDLES.find(({ id }) => id === bundle)?.price ?? 0) }),
    },
  }
}
