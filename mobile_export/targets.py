"""Where a program will run: a target is a name, a lowering, what checks it, and what nobody could check here."""

from dataclasses import dataclass

from mobile_export.programs.program import Form


@dataclass(frozen=True)
class Target:
    """`form` is how the ticket is lowered. With `arm` the bundle is verified on emulated ARM processors, too.

    With `app` the demo app is built around it. `limits` says in a sentence what remains to be proven.
    """

    name: str
    form: Form
    arm: bool
    app: bool
    limits: str


TARGETS = {
    target.name: target
    for target in (
        Target(
            "android",
            form="phone",
            arm=False,
            app=True,
            limits="The program ran in this machine's ExecuTorch; on the phone the app asks for the known answers.",
        ),
        Target(
            "ios",
            form="phone",
            arm=True,
            app=False,
            limits="The same XNNPACK program runs in ExecuTorch's iOS library; no iPhone and no Core ML was tried. "
            "golden.json holds known answers for a check on the device.",
        ),
        Target(
            "linux-arm",
            form="phone",
            arm=True,
            app=False,
            limits="Emulated processors prove the answers, not the speed: latencies are this machine's.",
        ),
    )
}
