import { ACCEPTED, FAQ, PRIVACY, STEPS } from './content';
import { Downloads } from './Downloads';

export function Site() {
  return (
    <>
      <header className="site-top">
        <span className="brand">
          <span className="brand-mark" aria-hidden="true" />
          CodeSight Collector
        </span>
        <nav aria-label="On this page">
          <a href="#steps">How it goes</a>
          <a href="#download">Download</a>
          <a href="#questions">Questions</a>
          <a href="#privacy">Privacy</a>
        </nav>
      </header>
      <main>
        <section className="hero">
          <h1>Get paid to shop the way you do, and say why</h1>
          <p>
            You record your screen and your voice while you look for something in online shops. Your choices and reasons
            teach a shopping assistant to help people better.
          </p>
          <a className="button primary large" href="#download">
            Get the recorder
          </a>
          <p className="muted">For workers with an order and an invite code.</p>
        </section>

        <section id="steps" aria-labelledby="steps-title">
          <h2 id="steps-title">The five steps</h2>
          <ol className="five">
            {STEPS.map((step, index) => (
              <li key={step.title}>
                <span className="five-number" aria-hidden="true">
                  {index + 1}
                </span>
                <h3>{step.title}</h3>
                <p>{step.text}</p>
              </li>
            ))}
          </ol>
        </section>

        <section className="columns">
          <div id="download">
            <h2>Download the recorder</h2>
            <Downloads />
          </div>
          <div>
            <h2>What is accepted</h2>
            <ul className="ticks">
              {ACCEPTED.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </div>
        </section>

        <section id="questions" aria-labelledby="questions-title">
          <h2 id="questions-title">Questions</h2>
          <div className="faq">
            {FAQ.map(({ question, answer }) => (
              <details key={question}>
                <summary>{question}</summary>
                <p>{answer}</p>
              </details>
            ))}
          </div>
        </section>

        <section id="privacy" aria-labelledby="privacy-title">
          <h2 id="privacy-title">Privacy</h2>
          <ul className="plain-list">
            {PRIVACY.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      </main>
      <footer className="site-foot muted">
        <span>CodeSight Collector</span>
        <a href="/admin">For reviewers</a>
      </footer>
    </>
  );
}
