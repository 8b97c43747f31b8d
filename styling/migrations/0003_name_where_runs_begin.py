from django.db import migrations


def name_starts(apps, schema_editor):
    """Runs say in their parameters, too, which version they go on from: the key goes when the version is deleted."""
    TrainingRun = apps.get_model("styling", "TrainingRun")
    for run in TrainingRun.objects.filter(start_from__isnull=False).only("parameters", "start_from_id"):
        run.parameters = {**run.parameters, "start_from": run.start_from_id}
        run.save(update_fields=["parameters"])


class Migration(migrations.Migration):
    dependencies = [("styling", "0002_train_further"), ("jobs", "0001_initial")]

    operations = [migrations.RunPython(name_starts, migrations.RunPython.noop)]
