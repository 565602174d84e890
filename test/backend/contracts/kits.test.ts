import assert from 'node:assert/strict'
import { appReplies, type AppReplies } from '../../../src/backend/app-replies.ts'
import { loadKit, readAnswer, readRequest, requestText } from '../../../src/backend/contracts/kit.ts'
import { contractNames, loadContract } from '../../../src/backend/contracts/load.ts'
import type { EndReason } from '../../../src/ussd/vocabulary.ts'
import { fakeClock } from '../../support/clock.ts'
import { until } from '../../support/services.ts'
import { stub, type Heard, type Stub } from './stub.ts'
import { EPOCH, walk, type Walk } from './walk.ts'

const written = ({ method, target, headers, body }: Heard): string => {
  const told = [
    ['content-type', headers['content-type']],
    ['cookie', headers.cookie],
  ].filter(([, value]) => value !== undefined)
  return requestText({
    method: method as 'GET',
    target,
    headers: Object.fromEntries(told) as Record<string, string>,
    body,
  })
}

describe('the kit of every contract', () => {
  for (const name of contractNames()) {
    describe(name, () => {
      const contract = loadContract(name)
      const kit = loadKit(name)!
      let app: Stub
      let walked: Walk
      let replies: AppReplies | undefined
      let receipts: { status: number; body: string }[]

      /**
       * What the application says to the next request: at once, or where the contract has it so, by a request of its
       * own.
       */
      const says = (reply: string): void => {
        const { later } = contract
        if (!later) return app.says(readAnswer(reply))
        const { target, headers, body } = readRequest(reply)
        app.says((_heard, response) => {
          response.writeHead(200).end()
          // Which question it answers, the kit says of its first dialogue only.
          const id = later.field === 'reply_to' ? `${EPOCH}:${walked.turns()}:0` : EPOCH
          const brought = JSON.stringify({ ...(JSON.parse(body) as object), [later.field]: id })
          void fetch(`http://127.0.0.1:${replies!.port()}${target}`, { method: 'POST', headers, body: brought }).then(
            async (answer) => receipts.push({ status: answer.status, body: await answer.text() }),
          )
        })
      }

      beforeEach(async () => {
        app = await stub()
        receipts = []
        replies = contract.later && appReplies({ host: '127.0.0.1', port: 0, ...contract.later })
        await replies?.open()
        const { line, network, account, nowMs } = kit.dialogue
        const networks = { [line]: network }
        const settings = { url: app.url, closeUrl: app.url, networks, ...(account === undefined ? {} : { account }) }
        walked = walk({ contract, settings, line, clock: fakeClock(nowMs), ...(replies ? { replies } : {}) })
      })
      afterEach(async () => {
        await walked.close()
        await app.close()
      })

      it('is asked and understood as recorded, octet for octet', async () => {
        assert.ok(kit, `contracts/${name}.kit.yaml is missing`)
        for (const [i, { input, request, reply, shows }] of kit.turns.entries()) {
          says(reply)
          const want = i === 0 ? await walked.dial(kit.dialogue.dialled) : await walked.answer(input)
          assert.equal(written(app.heard[i]!), request)
          assert.deepEqual({ [want.do]: 'text' in want ? want.text : '' }, shows)
        }
        assert.equal(app.heard.length, kit.turns.length)
        if (contract.later) await until(() => receipts.length === kit.turns.length, 'no receipt')
        assert.deepEqual(receipts, contract.later ? kit.turns.map(() => contract.later!.receipt) : [])
      })

      it('hears of the end of a dialogue as recorded', async () => {
        for (const [reason, notice] of Object.entries(kit.closes)) {
          says(kit.turns[0]!.reply)
          await walked.dial(kit.dialogue.dialled)
          app.heard.length = 0
          await walked.end(reason as EndReason)
          const [told] = app.heard
          // The walk has a turn more each time; what it says of turns is no matter here.
          const plain = (text: string) => text.replace(/hopsCount=\d+|"totalSteps":\d+/, '')
          assert.equal(told ? plain(written(told)) : '', plain(notice!), reason)
        }
      })

      it('is not understood where it says something else', async () => {
        for (const reply of kit.refused) {
          says(reply)
          assert.deepEqual(
            await walked.dial(kit.dialogue.dialled),
            { do: 'end', text: 'BUSY', screen: 'busy', reason: 'backend-failed' },
            reply,
          )
        }
        assert.equal(app.heard.length, kit.refused.length, 'a redirect was followed, or a request repeated')
        assert.ok(walked.results.every((result) => result.is === 'failed' && ['nonsense', 'down'].includes(result.why)))
      })

      it('reads back as the request that it is', () => {
        for (const { request } of kit.turns) {
          const { method, target, headers, body } = readRequest(request)
          assert.equal(requestText({ method: method as 'GET', target, headers, body }), request)
        }
      })
    })
  }
})
