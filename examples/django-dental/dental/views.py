"""The connector's door: `POST /ussd/<operation>` with `{msisdn, language, line, epoch, args}`.

200 and JSON is an answer; 409 and `{"refusal": name}` is a no that the flow knows how to say. Whatever else comes, or
nothing in time, and the subscriber reads that the service is busy.
"""
import json
import logging
from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .operations import OPERATIONS, Call, Refusal

log = logging.getLogger(__name__)


# No browser comes here with a session: the bearer token is the door.
@csrf_exempt
@require_POST
def operation(request: HttpRequest, name: str) -> JsonResponse:
    given = request.headers.get("Authorization", "")
    if settings.DENTAL_TOKEN and not compare_digest(given.encode(), f"Bearer {settings.DENTAL_TOKEN}".encode()):
        return JsonResponse({"error": "a bearer token is needed: DENTAL_TOKEN here, backends.dental.http.tokenFile there"}, status=401)
    run = OPERATIONS.get(name)
    if run is None:
        return JsonResponse({"error": f"no operation {name!r}; there are: {', '.join(OPERATIONS)}"}, status=404)
    try:
        call = Call.of(json.loads(request.body), request.headers.get("Idempotency-Key", ""))
    except (ValueError, TypeError, KeyError) as error:
        return JsonResponse({"error": f"not a call: {error}"}, status=400)
    try:
        return JsonResponse(run(call))
    except Refusal as refusal:
        return JsonResponse({"refusal": refusal.name}, status=409)
