/**
 * Requests and replies as the public sources show them, with their own values: what we send has their names, types and
 * forms. A row has what was published; a field that the source leaves to the caller is in `ours`.
 */
import assert from 'node:assert/strict'
import { contractNames, loadContract } from '../../../src/backend/contracts/load.ts'
import type { Asked } from '../../../src/backend/contracts/types.ts'
import { parseXml } from '../../../src/backend/contracts/xml.ts'
import { fromXml } from '../../../src/backend/contracts/xml-tree.ts'

interface Published {
  contract: string
  /** What the example is about. */
  shows: string
  asked: Partial<Asked>
  /** The fields of the request. XML: the document. */
  request?: Record<string, unknown> | string
  path?: string
  /** Fields that we add, or write otherwise, each with its reason in the profile. */
  ours?: Record<string, unknown>
  reply?: { body: string; headers?: Record<string, string> }
  said?: { text: string; end: boolean }
}

const json = (value: unknown) => ({ body: JSON.stringify(value) })

const EXAMPLES: Published[] = [
  {
    contract: 'africastalking',
    shows: 'the first request, and the parameters of their page',
    asked: { epoch: 'ATUid_abc123', msisdn: '254711000111', network: '63902', serviceCode: '*123#', text: '' },
    request: {
      sessionId: 'ATUid_abc123',
      phoneNumber: '+254711000111',
      networkCode: '63902',
      serviceCode: '*123#',
      text: '',
    },
    reply: { body: 'CON What would you want to check \n1. My Account \n2. My phone number' },
    said: { text: 'What would you want to check \n1. My Account \n2. My phone number', end: false },
  },
  {
    contract: 'arkesel',
    shows: 'the sample application of Arkesel',
    asked: { epoch: 's1', account: 'ACCOUNT', msisdn: '233544919953', network: 'MTN', input: '1', sequence: 2 },
    request: {
      sessionID: 's1',
      userID: 'ACCOUNT',
      newSession: false,
      msisdn: '233544919953',
      userData: '1',
      network: 'MTN',
    },
    reply: json({
      sessionID: 's1',
      msisdn: '233544919953',
      userID: 'ACCOUNT',
      continueSession: false,
      message: 'Thank you for voting!',
    }),
    said: { text: 'Thank you for voting!', end: true },
  },
  {
    contract: 'bonga',
    shows: 'the parameters of their page',
    asked: { epoch: 's1', msisdn: '254722000000', network: 'saf', input: '1', sequence: 2 },
    request: { mobile_number: '254722000000', session_id: 's1', message: '1', service_code: '*384#', network: 'saf' },
    reply: { body: 'END Your request has been received' },
    said: { text: 'Your request has been received', end: true },
  },
  {
    contract: 'cellulant',
    shows: 'a begin, and a menu of six parts',
    asked: { epoch: '1', msisdn: '27761234567', serviceCode: '*120*1#', dialled: '*120*1#' },
    request: { MSISDN: '27761234567', INPUT: '*120*1#', opCode: 'BEG', ABORT: '0', sessionID: '1' },
    reply: { body: '1|ussd message|null|null|null|null' },
    said: { text: 'ussd message', end: false },
  },
  {
    contract: 'cellulant',
    shows: 'an end: the state is the fifth of six parts, not the last',
    asked: { epoch: '1', msisdn: '27761234567', input: 'hi', sequence: 2 },
    reply: { body: '1|hello world|null|null|end|null' },
    said: { text: 'hello world', end: true },
  },
  {
    contract: 'comviva',
    shows: 'the fields without which the transport answers 400, and its headers',
    asked: { epoch: 'session-id', msisdn: '27761234567', network: 'msc', serviceCode: '*167*7#', dialled: '*167*7#' },
    request: { SessionID: 'session-id', MSISDN: '27761234567', MSC: 'msc', input: '167*7' },
    reply: { body: 'hello world', headers: { freeflow: 'FB', charge: 'N', amount: '0' } },
    said: { text: 'hello world', end: true },
  },
  {
    contract: 'crossgate',
    shows: 'the example of their page',
    asked: {
      epoch: '70381',
      msisdn: '254700000000',
      network: '2541',
      serviceCode: '*123#',
      dialled: '*123#',
      text: '1*2',
      input: '2',
      sequence: 3,
    },
    request: {
      network_code: '2541',
      msisdn: '254700000000',
      service_code: '123',
      session_id: '70381',
      ussd_string: '1*2',
    },
    reply: { body: 'CON Enter your ID number' },
    said: { text: 'Enter your ID number', end: false },
  },
  {
    contract: 'dmark',
    shows: 'times in seconds',
    asked: {
      epoch: 'transaction-123',
      msisdn: '00775551122',
      serviceCode: '*121#',
      dialled: '*121#',
      nowMs: 1_389_971_940_000,
    },
    request: {
      transactionId: 'transaction-123',
      msisdn: '00775551122',
      ussdServiceCode: '*121#',
      transactionTime: '1389971940',
      ussdRequestString: '*121#',
      creationTime: '1389971940',
      response: 'false',
    },
    reply: json({ responseString: 'We want ... a shrubbery!', action: 'end' }),
    said: { text: 'We want ... a shrubbery!', end: true },
  },
  {
    contract: 'hollatags',
    shows: 'the sample request and response',
    asked: {
      epoch: '5456657676',
      msisdn: '2347000000000',
      network: 'MTN',
      serviceCode: '*7006#',
      dialled: 'Hello, this is a test message',
    },
    request: {
      session_msisdn: '2347000000000',
      session_operation: 'begin',
      session_msg: 'Hello, this is a test message',
      session_id: '5456657676',
      session_from: '*7006#',
      session_type: '1',
      session_mno: 'MTN',
    },
    reply: json({
      session_operation: 'continue',
      session_type: 1,
      session_id: '5456657676',
      session_msg: 'Welcome to Holla tags ticket\r\n1: Book Bus Tickets\r\n2: Terms & Condition',
    }),
    said: { text: 'Welcome to Holla tags ticket\r\n1: Book Bus Tickets\r\n2: Terms & Condition', end: false },
  },
  {
    contract: 'hubtel',
    shows: 'the fields of the sample interaction, with the types of the SDK',
    asked: {
      epoch: '8d440a43a98b4614b9df22b79c8190b8',
      msisdn: '233246912184',
      network: 'mtn',
      serviceCode: '*711*2#',
      dialled: '*711*2#',
    },
    request: {
      Sequence: 1,
      Type: 'Initiation',
      Message: '*711*2#',
      ServiceCode: '711*2',
      Operator: 'mtn',
      ClientState: '',
      Mobile: '233246912184',
      SessionId: '8d440a43a98b4614b9df22b79c8190b8',
    },
    ours: { Platform: 'USSD' },
    reply: json({ Type: 'response', Message: 'Pick a bundle', ClientState: 'a' }),
    said: { text: 'Pick a bundle', end: false },
  },
  {
    contract: 'infobip',
    shows: 'the parameters of a response request, and a menu',
    asked: { epoch: '1', msisdn: '385955363443', language: 'en', line: 'live2', input: '1', sequence: 2 },
    path: '/session/1/response',
    request: {
      msisdn: '385955363443',
      imsi: '',
      text: '1',
      shortCode: '*384#',
      language: 'en',
      optional: '',
      ussdGwId: 'live2',
    },
    reply: json({ shouldClose: true, ussdMenu: 'Bye', responseExitCode: 200, responseMessage: '' }),
    said: { text: 'Bye', end: true },
  },
  {
    contract: 'junebug',
    shows: 'the example of an inbound message, and continue_session of a reply',
    asked: {
      line: 'bc5f2e63-7f53-4996-816d-4f89f45a5842',
      msisdn: '27821234567',
      serviceCode: '12345',
      intention: '35f3336d4a1a46c7b40cd172a41c510d',
      input: 'Test message',
      sequence: 2,
      network: 'mtn',
      nowMs: Date.UTC(2015, 9, 6, 14, 16, 34),
    },
    request: {
      to: '12345',
      from: '+27821234567',
      group: null,
      message_id: '35f3336d4a1a46c7b40cd172a41c510d',
      channel_id: 'bc5f2e63-7f53-4996-816d-4f89f45a5842',
      timestamp: '2015-10-06 14:16:34.000000',
      reply_to: null,
      content: 'Test message',
      channel_data: { session_event: 'resume', provider: 'mtn' },
    },
    reply: json({
      to: '+26612345678',
      from: '8110',
      reply_to: 'uuid-1234',
      content: 'Hello world!',
      channel_data: { continue_session: false },
    }),
    said: { text: 'Hello world!', end: true },
  },
  {
    contract: 'junebug',
    shows: 'the example of an outbound message, which goes on',
    asked: {},
    reply: json({ reply_to: 'uuid-1234', content: 'Hello world!', channel_data: { continue_session: true } }),
    said: { text: 'Hello world!', end: false },
  },
  {
    contract: 'madapi',
    shows: "InboundRequest of the OpenAPI document, at the application's own address; InboundResponse",
    asked: { epoch: 's1', msisdn: '237670000001', serviceCode: '*384#', dialled: '*384#', language: 'en' },
    path: '',
    request: {
      sessionId: 's1',
      messageType: '0',
      msisdn: '237670000001',
      serviceCode: '*384#',
      ussdString: '*384#',
      language: 'en',
    },
    reply: json({
      statusCode: '0000',
      statusMessage: 'Success',
      transactionId: 't1',
      data: {
        inboundResponse: 'Welcome',
        userInputRequired: true,
        messageType: 1,
        serviceCode: '*384#',
        msisdn: '237670000001',
      },
      _link: { self: { href: '' } },
    }),
    said: { text: 'Welcome', end: false },
  },
  {
    contract: 'mobilesasa',
    shows: 'the parameters and the answer of their page',
    asked: { epoch: 's1', msisdn: '254722000000', text: '1', input: '1', sequence: 2 },
    request: { sessionId: 's1', serviceCode: '*384#', phoneNumber: '+254722000000', text: '1' },
    reply: { body: 'END You will get feedback via SMS shortly.' },
    said: { text: 'You will get feedback via SMS shortly.', end: true },
  },
  {
    contract: 'moolre',
    shows: '*203*109*11005#: extension and network are integers, data is what was dialled behind the code',
    asked: {
      epoch: 's1',
      msisdn: '233241234567',
      network: '3',
      serviceCode: '*203*109#',
      dialled: '*203*109*11005#',
      text: '11005',
    },
    request: {
      sessionid: 's1',
      new: true,
      msisdn: '233241234567',
      network: 3,
      message: '',
      extension: 109,
      data: '11005',
    },
    reply: json({ message: 'Welcome', reply: true }),
    said: { text: 'Welcome', end: false },
  },
  {
    contract: 'moolre',
    shows: 'an answer: only the newest is sent',
    asked: {
      epoch: 's1',
      msisdn: '233241234567',
      network: '6',
      serviceCode: '*203*109#',
      dialled: '*203*109#',
      text: '1*2',
      input: '2',
      sequence: 3,
    },
    request: {
      sessionid: 's1',
      new: false,
      msisdn: '233241234567',
      network: 6,
      message: '2',
      extension: 109,
      data: '',
    },
    reply: json({ message: 'Bye', reply: false }),
    said: { text: 'Bye', end: true },
  },
  {
    contract: 'nalo',
    shows: 'the sample request and response: USERID is the account',
    asked: {
      epoch: '16590115252429751',
      account: 'NALOTest',
      msisdn: '233241234567',
      network: 'MTN',
      input: '3',
      sequence: 2,
    },
    request: {
      USERID: 'NALOTest',
      MSISDN: '233241234567',
      USERDATA: '3',
      MSGTYPE: false,
      NETWORK: 'MTN',
      SESSIONID: '16590115252429751',
    },
    reply: json({ USERID: 'NALOTest', MSISDN: '233241234567', MSG: 'Welcome\n1. Option 1', MSGTYPE: true }),
    said: { text: 'Welcome\n1. Option 1', end: false },
  },
  {
    contract: 'nsano',
    shows: 'what the framework reads and writes',
    asked: { epoch: 's1', msisdn: '233241234567', network: 'MTN', input: '1', sequence: 2 },
    request: { msisdn: '233241234567', network: 'MTN', UserSessionID: 's1', msg: '1' },
    reply: json({ USSDResp: { action: 'prompt', menus: '', title: 'Thank you' } }),
    said: { text: 'Thank you', end: true },
  },
  {
    contract: 'oltranz',
    shows: 'the sample request and response',
    asked: {
      epoch: '13245200800899890',
      msisdn: '250780000001',
      serviceCode: '123',
      input: '',
      sequence: 2,
      nowMs: Date.UTC(2019, 0, 1, 2, 10, 10),
    },
    request: {
      sessionId: '13245200800899890',
      serviceCode: '123',
      phoneNumber: '250780000001',
      text: '',
      response: '',
      action: 'CON',
      transactionId: '',
      requestTime: '2019-01-01 02:10:10',
      newRequest: 0,
      charge: 'N',
      amount: 0.0,
    },
    reply: json({ sessionId: '13245200800899890', response: 'UNKOWN APPLICATION', action: 'END', newRequest: 1 }),
    said: { text: 'UNKOWN APPLICATION', end: true },
  },
  {
    contract: 'safaricom',
    shows: 'the fields of the transport, which adds star and hash to the code itself',
    asked: {
      epoch: 'session-id',
      msisdn: '27761234567',
      serviceCode: '*167*7#',
      dialled: '*167*7#',
      text: 'a*b',
      input: 'b',
      sequence: 3,
    },
    request: { ORIG: '27761234567', DEST: '167*7', SESSION_ID: 'session-id', USSD_PARAMS: 'a*b' },
    reply: { body: 'CON hello world' },
    said: { text: 'hello world', end: false },
  },
  {
    contract: 'techsavanna',
    shows: 'the example of their page',
    asked: { epoch: '634073548', msisdn: '254722000000', network: 'saf', serviceCode: '*468#', dialled: '*468#' },
    request: { SESSIONID: '634073548', USSDCODE: '*468', MSISDN: '254722000000', INPUT: '', NETWORK: 'saf' },
    reply: { body: 'CON Welcome to TestUssd [254722000000]. Select an option:\n1. Register\n2. Feedback\n3. Exit' },
    said: {
      text: 'Welcome to TestUssd [254722000000]. Select an option:\n1. Register\n2. Feedback\n3. Exit',
      end: false,
    },
  },
  {
    contract: 'imimobile',
    shows: 'the fields without which the transport answers 400',
    asked: { epoch: '1', msisdn: '9221234567', serviceCode: 'VUMI', input: 'Well, what is it you want?', sequence: 2 },
    request: { msisdn: '9221234567', msg: 'Well, what is it you want?', code: 'VUMI', tid: '1', dcs: '15' },
    reply: { body: 'We want ... a shrubbery!', headers: { 'x-ussd-session': '0' } },
    said: { text: 'We want ... a shrubbery!', end: true },
  },
  {
    contract: 'ideamart',
    shows: 'the message of their page that goes on',
    asked: {},
    reply: json({
      applicationId: 'APP_000001',
      password: 'password',
      message: '1. Press One\n2. Press two\n3. Press three\n4. Exit',
      sessionId: '1330929317043',
      ussdOperation: 'mt-cont',
      destinationAddress: 'tel: 5C74B588F97',
    }),
    said: { text: '1. Press One\n2. Press two\n3. Press three\n4. Exit', end: false },
  },
  {
    contract: 'mtech',
    shows: 'a new dialogue, and a page with links',
    asked: {
      epoch: 'a41739890287485d968ea66e8b44bfd3',
      msisdn: '2348085832481',
      serviceCode: 'gateid',
      dialled: 'testmenu',
    },
    request:
      '<page version="2.0"><session_id>a41739890287485d968ea66e8b44bfd3</session_id><page_id>0</page_id>' +
      '<data>testmenu</data><mobile_number>2348085832481</mobile_number><gate>gateid</gate></page>',
    reply: {
      body:
        `<?xml version='1.0' encoding='UTF-8'?><page version="2.0"><session_id>sid123</session_id><title>LUNCH</title>` +
        '<div>Please choose:</div><navigation><link accesskey="1" pageId="index1">chicken</link>' +
        '<link accesskey="2" pageId="index2">beef</link></navigation></page>',
    },
    said: { text: 'LUNCH\nPlease choose:\n1. chicken\n2. beef', end: false },
  },
  {
    contract: 'vodacom',
    shows: 'options, and a free text whose option is not displayed',
    asked: {},
    reply: {
      body:
        '<request><headertext>Please enter your name</headertext><options><option command="1" order="1" ' +
        'callback="http://vumi.p.org/api/v1/ussd/vmes/?context=" display="False" /></options></request>',
    },
    said: { text: 'Please enter your name', end: false },
  },
  {
    contract: 'trueafrican',
    shows: 'USSD.CONT has session and response; the answer is a struct',
    asked: { epoch: 's1', input: '1', sequence: 2 },
    request:
      '<methodCall><methodName>USSD.CONT</methodName><params><param><value><struct>' +
      '<member><name>session</name><value><string>s1</string></value></member>' +
      '<member><name>response</name><value><string>1</string></value></member>' +
      '</struct></value></param></params></methodCall>',
    reply: {
      body:
        '<?xml version="1.0"?><methodResponse><params><param><value><struct>' +
        '<member><name>session</name><value><string>s1</string></value></member>' +
        '<member><name>type</name><value><string>end</string></value></member>' +
        '<member><name>message</name><value><string>Bye</string></value></member>' +
        '</struct></value></param></params></methodResponse>',
    },
    said: { text: 'Bye', end: true },
  },
  {
    contract: 'yate',
    shows: 'a reply in synchronous mode that ends with the header operation',
    asked: {},
    reply: { body: 'Bye', headers: { operation: 'pssr' } },
    said: { text: 'Bye', end: true },
  },
  {
    contract: 'restcomm',
    shows: 'the last message of the guide: prearrangedEnd is false, without the other attributes',
    asked: {},
    reply: {
      body:
        '<dialog mapMessagesSize="1" prearrangedEnd="false"><processUnstructuredSSRequest_Response ' +
        'invokeId="0" dataCodingScheme="15" string="Thank You!"/></dialog>',
    },
    said: { text: 'Thank You!', end: true },
  },
]

const ASKED: Asked = {
  epoch: 's1',
  msisdn: '27761234567',
  line: 'digicel',
  network: 'digicel',
  language: 'en',
  serviceCode: '*384#',
  dialled: '*384#',
  text: '',
  input: '',
  sequence: 1,
  state: {},
  intention: 's1:1:0',
  nowMs: 0,
}

const documentOf = (xml: string) => {
  const root = parseXml(xml)
  return { [root.name]: fromXml(root) }
}

describe('a published example', () => {
  for (const { contract: name, shows, asked, request, path, ours, reply, said } of EXAMPLES) {
    it(`of ${name}: ${shows}`, () => {
      const contract = loadContract(name)
      const full = { ...ASKED, ...asked }
      const sent = contract.ask(full)
      if (path !== undefined) assert.equal(sent.path, path)
      if (typeof request === 'string') assert.deepEqual(documentOf(sent.body), documentOf(request))
      else if (request) {
        const form = sent.query || sent.body
        const fields = form.startsWith('{') ? JSON.parse(form) : Object.fromEntries(new URLSearchParams(form))
        assert.deepEqual(fields, { ...request, ...ours })
      }
      if (!reply) return
      const { text, end } = contract.understand({ status: 200, headers: {}, ...reply }, full)
      assert.deepEqual({ text, end }, said)
    })
  }

  it('is here for each contract that names a public source', () => {
    const shown = new Set(EXAMPLES.map(({ contract }) => contract))
    const missing = contractNames().filter((name) => loadContract(name).sources.length > 0 && !shown.has(name))
    assert.deepEqual(missing, [])
  })
})

describe('the source of a contract', () => {
  /** Composed from applications: nobody found a public page. A name leaves this list when one is found. */
  const WITHOUT = ['beem', 'emergent', 'korba', 'sendexa', 'southpawsl', 'truteq']

  it('is a public address and a day, or the contract says that there is none', () => {
    const without = contractNames().filter((name) => loadContract(name).sources.length === 0)
    assert.deepEqual(without, WITHOUT)
    for (const name of contractNames())
      for (const { url, read } of loadContract(name).sources) {
        assert.ok(new URL(url).protocol.startsWith('http'), `${name}: ${url}`)
        assert.ok(Number.isFinite(Date.parse(read)) && read >= '2026-01-01', `${name}: ${read}`)
      }
  })
})
