/**
 * The back end of `topup`, in a process of its own: answers at once and keeps nothing, so that what is measured is the
 * connector. Argument: its port.
 */
import { createServer } from 'node:http'

const BUNDLES = [
  { id: 'd1', name: 'Daily 200 MB', price: 2 },
  { id: 'd3', name: '3 days 1 GB', price: 6 },
  { id: 'w1', name: 'Weekly 2 GB', price: 12 },
  { id: 'm1', name: 'Monthly 10 GB', price: 45 },
]
const OPERATIONS = {
  '/balance': () => ({ amount: 50, currency: 'PGK' }),
  '/bundles': () => ({ rows: BUNDLES }),
  '/buy': ({ bundle }) => ({ balance: 50 - BUNDLES.find(({ id }) => id === bundle).price }),
}

process.once('SIGTERM', () => process.exit(0))
createServer({ noDelay: true }, (request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const operation = OPERATIONS[request.url]
    if (!operation) console.error(`no operation ${request.method} ${request.url}`)
    const answer = operation ? JSON.stringify(operation(JSON.parse(body).args)) : '{}'
    response.writeHead(operation ? 200 : 404, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    })
    response.end(answer)
  })
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
