"""What the demo says, in each language that the service speaks."""

from __future__ import annotations

from collections.abc import Mapping

_EN = {
    "starting": "Starting Plantão, its neighbours and a pipeline that is not there …",
    "ready": "\nThe demo is at  {page}\nCtrl-C ends it and leaves nothing behind.\n",
    "ending": "Ending everything.",
    "title": "Plantão in two minutes",
    "lead": (
        "Plantão stands between Alertmanager and the people on call for a real-time Pix "
        "fraud-detection pipeline. It keeps every alert, makes incidents of them, and keeps each "
        "incident true in one Slack thread, one mail thread and one log, until it is over."
    ),
    "how": (
        "Behind this page runs a simulated pipeline: Kafka, Spark, Delta Lake and a scoring "
        "model. Let something go wrong, watch Slack beside it, press the buttons there, and put "
        "it right."
    ),
    "real": "Real Prometheus and Alertmanager watch it: what you see takes 5 to 10 seconds.",
    "recorded": (
        "Prometheus or Alertmanager is not installed: their notifications are posted from here, "
        "as they would send them."
    ),
    "stories": "Let something go wrong",
    "tell": "Let it happen",
    "mend": "Put it right",
    "places": "Where to look",
    "slack": "Slack, as Ana",
    "slack_bruno": "Slack, as Bruno",
    "home": "App Home of Ana",
    "mail": "Mail",
    "console": "Console",
    "log": "The log: open incidents",
    "api": "API",
    "metrics": "The pipeline's figures",
    "yourself": "Then work an incident yourself",
    "step_ack": "Let a story happen, open its incident in the console, and press Acknowledge.",
    "step_see": "Slack beside it shows who has it, without reloading.",
    "step_find": "Find it again from a shell, and in the log:",
    "step_learn": "Put the story right, and read what is left of it: the postmortem.",
    "postmortem": "postmortem of #{number}",
    "idle": "Not told yet.",
    "rising": "It goes wrong: the first alert comes in a few seconds …",
    "open": "It burns. Look at Slack.",
    "blind": "Prometheus is gone, and nobody claims that it was mended.",
    "mending": "It is being put right …",
    "over": "All green again.",
    "alerts": "{count} alerts",
    "back": "Back to the stories",
    "no_mail": "No mail yet.",
    "model.title": "A bad model is promoted",
    "model.what": (
        "Version 3 of the champion takes over. It answers too late for a Pix, and its scores "
        "drift away from those of training."
    ),
    "model.look": (
        "The incident names the version that serves, and the promotion just before it as what "
        "changed: nobody has to ask at three in the morning."
    ),
    "kafka.title": "Kafka falls behind",
    "kafka.what": (
        "The scoring job cannot keep up, and everything downstream suffers: Spark's batches, the "
        "payments themselves, the table of scores."
    ),
    "kafka.look": (
        "Four incidents, and each says which of the others is up the pipeline (the likely cause) "
        "or down (what suffers from it)."
    ),
    "storm.title": "A storm",
    "storm.what": "320 features go stale at once: 320 alerts.",
    "storm.look": "One incident, one message, one thread. It counts, and does not scroll.",
    "false-resolve.title": "A false all-clear",
    "false-resolve.what": (
        "Kafka lacks replicas; then Prometheus dies. Alertmanager hears nothing more and says "
        "“resolved”, which is not so."
    ),
    "false-resolve.look": (
        "The message turns white, not green: “no longer reported”. When Prometheus is back it "
        "is open again, in the same thread."
    ),
}
_PT = {
    "starting": "Iniciando o Plantão, seus vizinhos e um pipeline de mentira …",
    "ready": "\nA demonstração está em  {page}\nCtrl-C encerra tudo e não deixa nada para trás.\n",
    "ending": "Encerrando tudo.",
    "title": "Plantão em dois minutos",
    "lead": (
        "O Plantão fica entre o Alertmanager e as pessoas de plantão de um pipeline de detecção "
        "de fraude no Pix em tempo real. Ele guarda cada alerta, faz deles incidentes e mantém "
        "cada incidente verdadeiro em uma conversa no Slack, uma por e-mail e um registro, até "
        "que acabe."
    ),
    "how": (
        "Atrás desta página roda um pipeline simulado: Kafka, Spark, Delta Lake e um modelo de "
        "score. Deixe algo dar errado, acompanhe o Slack ao lado, aperte os botões e conserte."
    ),
    "real": (
        "Prometheus e Alertmanager de verdade o observam: o que você vê leva de 5 a 10 segundos."
    ),
    "recorded": (
        "O Prometheus ou o Alertmanager não está instalado: as notificações são enviadas daqui, "
        "como eles as enviariam."
    ),
    "stories": "Deixe algo dar errado",
    "tell": "Deixar acontecer",
    "mend": "Consertar",
    "places": "Onde olhar",
    "slack": "Slack, como Ana",
    "slack_bruno": "Slack, como Bruno",
    "home": "App Home da Ana",
    "mail": "E-mail",
    "console": "Console",
    "log": "O registro: incidentes abertos",
    "api": "API",
    "metrics": "As métricas do pipeline",
    "yourself": "Depois, cuide você de um incidente",
    "step_ack": "Deixe uma história acontecer, abra o incidente no console e aperte Reconhecer.",
    "step_see": "O Slack ao lado mostra com quem está, sem recarregar.",
    "step_find": "Encontre-o de novo no terminal e no registro:",
    "step_learn": "Conserte a história e leia o que fica dela: o post-mortem.",
    "postmortem": "post-mortem do #{number}",
    "idle": "Ainda não aconteceu.",
    "rising": "Está dando errado: o primeiro alerta chega em alguns segundos …",
    "open": "Está queimando. Olhe o Slack.",
    "blind": "O Prometheus caiu, e ninguém afirma que foi consertado.",
    "mending": "Está sendo consertado …",
    "over": "Tudo verde de novo.",
    "alerts": "{count} alertas",
    "back": "Voltar às histórias",
    "no_mail": "Nenhum e-mail ainda.",
    "model.title": "Um modelo ruim é promovido",
    "model.what": (
        "A versão 3 do campeão assume. Ela responde tarde demais para um Pix, e seus scores se "
        "afastam dos do treino."
    ),
    "model.look": (
        "O incidente diz qual versão está servindo e mostra a promoção logo antes como o que "
        "mudou: ninguém precisa perguntar às três da manhã."
    ),
    "kafka.title": "O Kafka fica para trás",
    "kafka.what": (
        "O job de score não dá conta, e tudo depois dele sofre: os lotes do Spark, os próprios "
        "pagamentos, a tabela de scores."
    ),
    "kafka.look": (
        "Quatro incidentes, e cada um diz qual dos outros está acima no pipeline (a causa "
        "provável) ou abaixo (o que sofre com ele)."
    ),
    "storm.title": "Uma tempestade",
    "storm.what": "320 features ficam velhas de uma vez: 320 alertas.",
    "storm.look": "Um incidente, uma mensagem, uma conversa. Ela conta, e não rola a tela.",
    "false-resolve.title": "Um falso alívio",
    "false-resolve.what": (
        "O Kafka fica sem réplicas; então o Prometheus morre. O Alertmanager não ouve mais nada e "
        "diz “resolvido”, o que não é verdade."
    ),
    "false-resolve.look": (
        "A mensagem fica branca, não verde: “deixou de ser reportado”. Quando o Prometheus volta, "
        "o incidente está aberto de novo, na mesma conversa."
    ),
}

WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "pt-BR": _PT}
LOCALES = tuple(WORDS)
