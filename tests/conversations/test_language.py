"""The language of short texts, told offline: never a wrong one for certain."""

from __future__ import annotations

import pytest

from finetune_prep.conversations.language import language_of

# language → briefs of one sentence or less, as people write them
TEXTS: dict[str, tuple[str, ...]] = {
    "en": (
        "Support for a small pottery shop: an assistant answers customers' questions about orders and returns.",
        "A coach for code review. It reads a diff and helps a junior developer write a kind, precise comment.",
        "Customer support chat.",
        "Legal intake for tenants in Berlin: Mietminderung, Kaution, Nebenkosten. The assistant speaks English with expats.",
        "Sommelier assistant: Bordeaux, Chianti Classico, Rioja Gran Reserva, Grüner Veltliner. It suggests wines to guests.",
        "Tarot readings",
        "An assistant that helps nurses on night shifts write handover notes.",
        "Refactoring advice for legacy COBOL.",
        "Onboarding buddy for new hires at a SaaS startup; links to Notion and Slack.",
        "Debt counselling (UK): priority debts, bailiffs, DROs, IVAs.",
        "Vet triage for dogs, cats, rabbits.",
        "Wine pairing",
        "Dungeon master",
        "Resume review",
        "Parent hotline: sleep, tantrums, screen time.",
        "Kubernetes on-call helper: read logs, propose kubectl commands, never run anything destructive.",
        "Pizza orders by SMS",
        "A texting companion for everyday stress. It never diagnoses, and hands over when there's danger.",
        "Sushi omakase guide for tourists in Tokyo: nigiri, maki, sashimi, etiquette.",
        "Yoga & Ayurveda coach (asana, pranayama, dosha).",
        "GDPR / DSGVO questions for small German shops, answered in English.",
        "Customer support for IKEA Kallax, Billy, Malm.",
        "Kids' homework help",
        "Tax help: 1040, W-2, Schedule C.",
        "Grief support",
        "Help with bash, awk, sed.",
    ),
    "de": (
        "Besucherservice eines Museums: Die Assistenz beantwortet Fragen zu Öffnungszeiten, Eintritt und Barrierefreiheit.",
        "Kundendienst für einen kleinen Töpferladen.",
        "Ein Begleiter für Menschen, die mit dem Rauchen aufhören wollen. Er gibt keine medizinischen Ratschläge.",
        "Support-Chat für unsere SaaS-Plattform: Login, Billing, API-Keys. Nie Passwörter erfragen.",
        "Mietrechtliche Erstberatung",
    ),
    "fr": (
        "Service client d'une petite boutique de poterie en ligne : commandes, retours, remboursements.",
        "Un coach pour les étudiants qui préparent leur premier entretien d'embauche.",
        "Assistance aux voyageurs",
    ),
    "es": (
        "Atención al cliente de una tienda de cerámica: pedidos, devoluciones y reembolsos.",
        "Un acompañante para personas que quieren dejar de fumar. Nunca da consejos médicos.",
        "Asesoría para inquilinos",
    ),
    "pt": (
        "Atendimento ao cliente de uma pequena loja de cerâmica: pedidos, devoluções e reembolsos.",
        "Um assistente que ajuda pessoas idosas a usar o aplicativo do banco. Nunca pede senhas.",
    ),
    "it": (
        "Assistenza clienti di un piccolo negozio di ceramiche: ordini, resi e rimborsi.",
        "Un tutor di matematica per ragazzi delle medie che non dà mai subito la soluzione.",
    ),
    "nl": (
        "Klantenservice voor een kleine pottenbakkerij: bestellingen, retourzendingen en terugbetalingen.",
        "Een coach voor mensen die willen stoppen met roken.",
    ),
    "sv": (
        "Kundtjänst för en liten keramikbutik: beställningar, returer och återbetalningar.",
        "En stödassistent för nyblivna föräldrar. Den ger aldrig medicinska råd.",
    ),
    "da": ("Kundeservice for en lille keramikbutik: bestillinger, returneringer og tilbagebetalinger.",),
    "nb": ("Kundeservice for en liten keramikkbutikk: bestillinger, returer og tilbakebetalinger.",),
    "fi": ("Pienen keramiikkakaupan asiakaspalvelu: tilaukset, palautukset ja hyvitykset.",),
    "pl": (
        "Obsługa klienta małego sklepu z ceramiką: zamówienia, zwroty i reklamacje.",
        "Asystent pomaga seniorom korzystać z aplikacji bankowej.",
    ),
    "cs": ("Zákaznická podpora malého obchodu s keramikou: objednávky, vrácení a refundace.",),
    "sk": ("Zákaznícka podpora malého obchodu s keramikou: objednávky, vrátenie tovaru a peňazí.",),
    "hu": ("Egy kis kerámiabolt ügyfélszolgálata: rendelések, visszaküldések és visszatérítések.",),
    "ro": ("Serviciul clienți al unui mic magazin de ceramică: comenzi, retururi și rambursări.",),
    "bg": ("Обслужване на клиенти на малък магазин за керамика: поръчки, връщания и възстановяване на суми.",),
    "ru": (
        "Поддержка клиентов небольшого магазина керамики: заказы, возвраты и возмещения.",
        "Помощник для людей, которые хотят бросить курить. Он не даёт медицинских советов.",
    ),
    "uk": ("Підтримка клієнтів невеликого магазину кераміки: замовлення, повернення та відшкодування.",),
    "el": ("Εξυπηρέτηση πελατών ενός μικρού καταστήματος κεραμικών: παραγγελίες και επιστροφές.",),
    "tr": (
        "Küçük bir seramik dükkânının müşteri hizmetleri: siparişler, iadeler ve geri ödemeler.",
        "Sigarayı bırakmak isteyenler için bir destek asistanı.",
    ),
    "ar": (
        "خدمة عملاء لمتجر صغير للخزف: الطلبات والإرجاع واسترداد الأموال.",
        "مساعد للطلاب الجدد في الجامعة يجيب عن أسئلة التسجيل والسكن.",
    ),
    "he": ("שירות לקוחות של חנות קרמיקה קטנה: הזמנות, החזרות וזיכויים.",),
    "fa": ("پشتیبانی مشتریان یک فروشگاه کوچک سفال: سفارش\u200cها، مرجوعی و بازپرداخت.",),
    "ur": ("ایک چھوٹی مٹی کے برتنوں کی دکان کے لیے گاہکوں کی مدد: آرڈر، واپسی اور رقم کی واپسی۔",),
    "hi": ("मिट्टी के बर्तनों की एक छोटी दुकान की ग्राहक सेवा: ऑर्डर, वापसी और धनवापसी।",),
    "bn": ("একটি ছোট মৃৎশিল্পের দোকানের গ্রাহক সেবা: অর্ডার, ফেরত এবং অর্থ ফেরত।",),
    "ta": ("ஒரு சிறிய மட்பாண்டக் கடையின் வாடிக்கையாளர் சேவை: ஆர்டர்கள், திரும்பப் பெறுதல்.",),
    "th": ("บริการลูกค้าของร้านเครื่องปั้นดินเผาเล็กๆ: การสั่งซื้อ การคืนสินค้า และการคืนเงิน",),
    "vi": ("Chăm sóc khách hàng của một cửa hàng gốm nhỏ: đơn hàng, đổi trả và hoàn tiền.",),
    "id": ("Layanan pelanggan toko keramik kecil: pesanan, pengembalian barang, dan pengembalian dana.",),
    "ja": ("小さな陶器店のカスタマーサポート。注文、返品、返金の質問に答える。",),
    "ko": ("작은 도자기 가게의 고객 지원: 주문, 반품, 환불에 대해 답합니다.",),
    "zh": (
        "一家小陶器店的客户服务：订单、退货和退款。",
        "租房押金咨询助手，绝不提供法律意见。",
    ),
    "ca": ("Atenció al client d'una petita botiga de ceràmica: comandes, devolucions i reemborsaments.",),
    "sr": ("Корисничка подршка мале продавнице керамике: поруџбине, враћања и повраћај новца.",),
    "hr": ("Korisnička podrška male trgovine keramikom: narudžbe, povrati i povrat novca.",),
    "sl": ("Podpora strankam majhne trgovine s keramiko: naročila, vračila in povračila.",),
    "lt": ("Mažos keramikos parduotuvės klientų aptarnavimas: užsakymai, grąžinimai ir pinigų grąžinimas.",),
    "lv": ("Neliela keramikas veikala klientu apkalpošana: pasūtījumi, atgriešana un naudas atmaksa.",),
    "et": ("Väikese keraamikapoe klienditeenindus: tellimused, tagastused ja tagasimaksed.",),
    "sw": ("Huduma kwa wateja wa duka dogo la vyombo vya udongo: maagizo, kurudisha bidhaa na pesa.",),
    "eu": ("Zeramika-denda txiki bateko bezeroarentzako arreta: eskaerak, itzulketak eta diru-itzulketak.",),
    "is": ("Þjónusta við viðskiptavini lítillar leirkeraverslunar: pantanir, skil og endurgreiðslur.",),
    "ga": ("Seirbhís do chustaiméirí i siopa beag criadóireachta: orduithe, aischur agus aisíocaíocht.",),
}
# tags that stand for the same language in writing
SAME = {"nb": {"no", "nb"}, "hr": {"hr", "sh", "bs", "sr"}}
ALL = [(tag, text) for tag, texts in TEXTS.items() for text in texts]


@pytest.mark.parametrize(("tag", "text"), ALL, ids=[f"{tag} {text[:30]}" for tag, text in ALL])
def test_a_short_text_is_never_taken_for_another_language(tag: str, text: str) -> None:
    """Whole, and its first five words: what is said for certain is right; the rest is asked for."""
    for given in (text, " ".join(text.split()[:5])):
        guess = language_of(given)
        assert not guess.sure or guess.tag in SAME.get(tag, {tag})


def test_most_are_told() -> None:
    told = sum(language_of(text).sure for _, text in ALL)
    assert told >= 0.8 * len(ALL)


def test_pages_and_nothing() -> None:
    page = "\n".join(TEXTS["de"] * 200)
    assert language_of(page) == ("de", True)
    assert not language_of("").sure
    assert not language_of("12 34 – 56").sure
