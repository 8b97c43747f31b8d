// A new experiment: the two settings of the chosen question, and what an answer takes, told as the form changes.
(() => {
  const form = document.getElementById("experiment");
  const part = (name) => form.querySelector(`[data-part="${name}"]`);
  const chosen = (name) => form.querySelector(`input[name="${name}"]:checked`)?.value ?? "";
  let asked = 0;
  let waiting;

  const showSides = () => {
    for (const sides of form.querySelectorAll("[data-subject]")) sides.hidden = sides.dataset.subject !== chosen("subject");
    for (const rail of form.querySelectorAll("[data-rail]")) rail.hidden = rail.dataset.rail === chosen("metric");
    for (const select of form.querySelectorAll(".ex-side select")) select.nextElementSibling.textContent = select.selectedOptions[0].dataset.what;
    for (const output of form.querySelectorAll("output")) output.value = `${form.elements[output.dataset.for].value} %`;
  };

  const show = (plan) => {
    for (const name of ["shoppers", "when", "basis", "advice"]) part(name).textContent = plan[name];
    part("advice").hidden = !plan.advice;
    part("days").replaceChildren(...Array.from({ length: plan.drawn }, (_, day) => {
      const square = document.createElement("i");
      if (day >= 60) square.className = "much";
      return square;
    }));
  };

  const ask = async () => {
    const number = ++asked;
    const query = new URLSearchParams({
      metric: chosen("metric"), uplift: form.elements.uplift.value, taking_part: form.elements.taking_part.value,
    });
    const none = { shoppers: "–", when: form.dataset.failed, basis: "", advice: "", drawn: 0 };
    let plan = none;
    try {
      const answer = await fetch(`${form.dataset.plan}?${query}`, { headers: { Accept: "application/json" } });
      plan = await answer.json();
      if (!answer.ok) plan = { ...none, when: plan.error.message, basis: plan.error.hint };
    } catch { /* no connection, or no JSON: the next change of the form asks again */ }
    if (number !== asked) return;  // a later question is under way
    show(plan);
  };

  form.addEventListener("input", () => {
    showSides();
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
  showSides();
  ask();
})();
