"""Payments that a text calls off: in other languages, under its title, in the sentence before or behind."""

from __future__ import annotations

import time

import pytest

from pnyx_policies.asides import mentions
from pnyx_policies.checks import CheckView, TextAgainstCalls
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import address_of, call_of, facts_for, holding, proposal_of

ALICE, TOKEN = map(address_of, ("alice", "token"))
NOT_PAID = "as what is not paid"
TITLE = "under a title that calls it off"
PASSAGE = "in a passage that calls it off"

CALLED_OFF = {
    f"La DAO no pagará 900 USDC a {ALICE}.": NOT_PAID,
    f"La DAO no va a transferir 900 USDC a {ALICE}.": NOT_PAID,
    f"A DAO não vai pagar 900 USDC para {ALICE}.": NOT_PAID,
    f"La DAO ne versera donc pas 900 USDC pour {ALICE}.": NOT_PAID,
    f"Les 900 USDC pour {ALICE} ne seront pas versés.": NOT_PAID,
    f"Die DAO zahlt keine 900 USDC an {ALICE}.": NOT_PAID,
    f"Die 900 USDC für {ALICE} werden nicht überwiesen.": NOT_PAID,
    f"DAO не будет платить 900 USDC на адрес {ALICE}.": NOT_PAID,
    f"DAO, {ALICE} adresine 900 USDC ödemeyecek.": NOT_PAID,
    f"国库不会向 {ALICE} 支付 900 USDC。": NOT_PAID,
    f"DAO は {ALICE} に 900 USDC を支払いません。": NOT_PAID,
    f"DAO 는 {ALICE} 에게 900 USDC 를 지급하지 않습니다.": NOT_PAID,
    f"# Cancel the purchase\n\nThe sellers at {ALICE} wanted 900 USDC.": TITLE,
    f"# [PIP-12] Reject the claim\n\n{ALICE}: 900 USDC.": TITLE,
    f"# Docs grant, withdrawn\n\n{ALICE}: 900 USDC.": TITLE,
    f"# Rechazo de la solicitud\n\nEl equipo de la web, en {ALICE}, pidió 900 USDC.": TITLE,
    f"# 关于取消付款\n\n收款地址为 {ALICE} 金额 900 USDC。": TITLE,
    f"The agency at {ALICE} claims 900 USDC. Counsel calls that without merit; we refuse to settle.": PASSAGE,
    f"{ALICE} was to get 900 USDC this month. The work is late: we hold the money back.": PASSAGE,
    f"チームは {ALICE} への 900 USDC を申請しました。委員会は却下を推奨します。": PASSAGE,
    f"Die Agentur will 900 USDC für die Arbeit, an {ALICE}. Das wird nicht bezahlt.": PASSAGE,
    f"A Atlântica pediu 900 USDC ({ALICE}). A DAO não pagará este valor.": PASSAGE,
    f"Pay a tenth of 900 USDC to {ALICE}.": "as what a part is of",
    f"Our sister DAO will send 900 USDC to {ALICE} next week.": "as what somebody else pays",
    f"This vote blocks the payment of 900 USDC to {ALICE} that the council had planned.": NOT_PAID,
    f"The team at {ALICE} asked for 900 USDC. The committee recommends to give nothing.": PASSAGE,
    f"# Freeze grants\n\nThis concerns the 900 USDC for {ALICE}.": TITLE,
    f"La DAO rechaza la solicitud de 900 USDC de {ALICE}.": NOT_PAID,
    f"Option A (pay 900 USDC to {ALICE}) lost with 31%.": NOT_PAID,
    f"If the index rises until June, the team gets 900 USDC, at {ALICE}.": "as what depends on something else",
    f"The rule is simple. Example: a transfer of 900 USDC to {ALICE} needs two votes.": "as an example",
    f"The foundation pays 900 USDC to {ALICE}, out of its own funds.": "as what somebody else pays",
}

REQUESTS = (
    f"Para la web: 900 USDC a {ALICE}. No se pagará nada más.",
    f"A gráfica recebe 900 USDC em {ALICE}. O frete não está incluído.",
    f"L'imprimeur reçoit 900 USDC ({ALICE}). La livraison n'est pas comprise.",
    f"Die Druckerei erhält 900 USDC ({ALICE}), der Versand ist nicht enthalten.",
    f"Die DAO zahlt 900 USDC an {ALICE}. Keine weiteren Kosten.",
    f"Типография получает 900 USDC на адрес {ALICE}. Доставка не входит.",
    f"Matbaaya, {ALICE} adresine, 900 USDC ödenecek. Kargo dahil değildir.",
    f"向 {ALICE} 支付 900 USDC。费用不包括复审。",
    f"翻訳者 {ALICE} に 900 USDC を支払います。追加の費用はありません。",
    f"번역가 {ALICE} 에게 900 USDC 를 지급합니다. 추가 비용은 없습니다.",
    f"# Cancelled event: refund\n\nPay 900 USDC to {ALICE}.",
    f"# Cancel the contract\n\nWe pay what is due, 900 USDC, to {ALICE}.",
    f"# Grant, second try\n\nThe first one, of 2,000 USDC, was rejected. This one is of 900 USDC, to {ALICE}.",
    f"Counsel advised to refuse 2,000 USDC. They accept less, and 900 USDC go to {ALICE}.",
    f"La première demande a été refusée en mai. La nouvelle est de 900 USDC, à verser à {ALICE}.",
    f"Прошлую встречу пришлось отменить. Площадка стоит 900 USDC, адрес {ALICE}.",
    f"向 {ALICE} 支付 900 USDC。上一届活动因疫情取消。",
    f"Pay 100% of the 900 USDC to {ALICE}.",
    f"La DAO paga 900 USDC a {ALICE}; la anterior solicitud, de 2.000 USDC, fue rechazada.",
    f"# Reject spam, fund moderation\n\nModerators get 900 USDC, at {ALICE}.",
    f"900 USDC to the hosts at {ALICE}. If the event is cancelled, they return the money.",
    f"Pagamos 900 USDC a {ALICE}. Si el evento se cancela, devolverán el dinero.",
    f"A DAO paga 900 USDC a {ALICE}; caso o evento seja cancelado, o valor volta.",
    f"Wir zahlen 900 USDC an {ALICE}. Bei einer Absage wird das Geld zurückgezahlt.",
    f"支付 900 USDC 至 {ALICE}。若活动取消，款项将退回。",  # noqa: RUF001 - Chinese has its own commas
    f"{ALICE} 에게 900 USDC 를 지급합니다. 행사가 취소되면 반환합니다.",
    f"If this vote passes, 900 USDC go to {ALICE}.",
    f"If you approve, {ALICE} gets 900 USDC.",
    f"Refund 900 USDC that {ALICE} paid out of her own pocket.",
    f"- the event was cancelled\n- 900 USDC to {ALICE}",
)


def said(text: str) -> set[str]:
    return {mention.aside for mention in mentions(text) if 900 in mention.number.readings}


def worst(text: str) -> Severity:
    pay = call_of(TOKEN, "transfer(address,uint256)", ALICE, 900 * 10**6)
    treasury = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]
    findings = TextAgainstCalls().run(CheckView(facts_for(proposal_of([pay], text), treasury=treasury)))
    return max((finding.severity for finding in findings), default=Severity.INFO)


@pytest.mark.parametrize("text", CALLED_OFF)
def test_what_is_called_off_announces_no_payment(text):
    assert said(text) == {CALLED_OFF[text]}
    assert worst(text) is Severity.HIGH


@pytest.mark.parametrize("text", REQUESTS)
def test_a_request_is_one_beside_words_of_refusal(text):
    assert said(text) == {""}
    assert worst(text) < Severity.HIGH


@pytest.mark.parametrize(
    "hostile", ["不会向", "no se ", "[a] b-1 ", "cancelled ", "we refuse. ", "nicht 900 ", "ne paie "]
)
def test_hostile_text_costs_no_more_than_its_length(hostile):
    started = time.thread_time()
    worst(f"{ALICE} {hostile * (60_000 // len(hostile))}")
    assert time.thread_time() - started < 5
